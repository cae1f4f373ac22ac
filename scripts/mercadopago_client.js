// Forwards notices, and asks the official package about each before: node mercadopago_client.js LISTEN FORWARD SECRET REPORT
const fs = require("fs");
const http = require("http");
const { WebhookSignatureValidator } = require("mercadopago");
const { version } = JSON.parse(fs.readFileSync(require.resolve("mercadopago").replace(/dist.*/, "package.json")));

const [listen, forward, secret, report] = process.argv.slice(2);
const agent = new http.Agent({ keepAlive: true });
const counts = {};

// What the package says. It reads every stamp as seconds, so that the window is left to us.
function official(request, query) {
  try {
    WebhookSignatureValidator.validate({
      xSignature: request.headers["x-signature"],
      xRequestId: request.headers["x-request-id"],
      dataId: query.getAll("data.id")[0],
      secret,
    });
    return "verified";
  } catch (error) {
    return error.reason ?? "failed";
  }
}

const server = http.createServer((request, response) => {
  const query = new URL(request.url, "http://localhost").searchParams;
  const channel = query.has("data.id") ? "webhook" : "ipn";
  const said = channel === "ipn" ? "unsigned" : official(request, query);
  const options = { host: "127.0.0.1", port: forward, path: request.url, method: request.method, headers: request.headers, agent };
  const onward = http.request(options, (answer) => {
    const key = `${channel} ${said} ${answer.statusCode}`;
    counts[key] = (counts[key] ?? 0) + 1;
    response.writeHead(answer.statusCode, answer.headers);
    answer.pipe(response);
  });
  onward.on("error", () => response.destroy());
  request.pipe(onward);
});

process.on("SIGTERM", () => {
  const verified = counts["webhook verified 200"] ?? 0;
  const believed = Object.keys(counts).filter((key) => key.startsWith("webhook") && key.endsWith(" 200") && !key.includes("verified"));
  const lines = Object.entries(counts).sort().map(([key, count]) => `${key.padEnd(40)} ${count}`);
  lines.unshift(`mercadopago ${version}: channel, what it says, our answer, how often`);
  fs.writeFileSync(report, `${lines.join("\n")}\n`);
  process.exit(verified > 0 && believed.length === 0 ? 0 : 1);
});

server.listen(Number(listen), "127.0.0.1");
