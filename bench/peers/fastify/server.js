// The job as a team writes it on Node.js: verify with Stripe's own package, publish, answer once the broker has confirmed.
//
// AMQP_URL, QUEUE and SECRET say where to and with what. Prints where it listens and ends once its input does.

import amqp from "amqplib";
import Fastify from "fastify";
import Stripe from "stripe";

const { AMQP_URL, QUEUE, SECRET } = process.env;
const stripe = new Stripe("sk_test_unused");

// A channel in confirm mode, or none while the broker is away; tried again every half second.
let channel = null;
// What no queue took comes back before its confirm.
const returned = new Set();

async function connect() {
  try {
    const connection = await amqp.connect(AMQP_URL);
    connection.on("error", () => {});
    connection.on("close", () => {
      channel = null;
      setTimeout(connect, 500);
    });
    const confirming = await connection.createConfirmChannel();
    confirming.on("error", () => {});
    confirming.on("return", (message) => returned.add(message.properties.messageId));
    await confirming.assertQueue(QUEUE, { durable: true, arguments: { "x-queue-type": "quorum" } });
    channel = confirming;
  } catch {
    setTimeout(connect, 500);
  }
}

function publish(event, body) {
  return new Promise((resolve, reject) => {
    if (channel === null) return reject(new Error("the broker is away"));
    const options = { persistent: true, mandatory: true, messageId: event.id };
    channel.publish("", QUEUE, body, options, (error) => {
      if (error || returned.delete(event.id)) reject(error ?? new Error("no queue took it"));
      else resolve();
    });
  });
}

const server = Fastify({ bodyLimit: 1024 * 1024 });
server.addContentTypeParser("application/json", { parseAs: "buffer" }, (_request, body, done) => done(null, body));

server.post("/webhooks/stripe/:account", async (request, reply) => {
  let event;
  try {
    event = stripe.webhooks.constructEvent(request.body, request.headers["stripe-signature"], SECRET);
  } catch {
    return reply.code(400).send();
  }
  try {
    await publish(event, request.body);
  } catch {
    return reply.code(503).send();
  }
  return reply.code(200).send();
});

await connect();
await server.listen({ host: "127.0.0.1", port: 0 });
const { port } = server.server.address();
console.log(`127.0.0.1:${port}`);
process.stdin.on("end", () => process.exit(0)).resume();
