//! The file a first start writes: every setting with its unit, its default and what it does.

/// The commented configuration.
pub(crate) const EXAMPLE: &str = r#"# Afluente. Every setting stands here with its default; a line that begins with # changes nothing until you remove the #.
# `afluente check` reports every problem at once. Accounts are reloaded when this file or a file of secrets changes, or on
# SIGHUP; the other settings are read at start.

[ingress]
# Where gateways post their webhooks: POST /webhooks/{gateway}/{account}. Plain HTTP, so on loopback: for what stands in front of
# it. To face the internet without anything in front, see [ingress.tls].
# Environment: AFLUENTE_INGRESS_LISTEN.
listen = "127.0.0.1:8420"
# Largest body, bytes. A larger one is answered 413.
#max_body_bytes = 1048576
# Largest request line with its headers, bytes, and how many headers. Past either: 431.
#max_header_bytes = 16384
#max_headers = 100
# Open connections. Past it, callers wait in the kernel's backlog; past those of one address, its next one is closed.
#max_connections = 4096
#max_connections_by_address = 1024
# Requests waiting for the queue, and bytes of bodies held. Past either: 503 with Retry-After, at once.
#max_in_flight = 1024
#max_in_flight_bytes = 67108864
# Requests a second that prove nothing, of each account and of each address: what nobody signed (Appmax, Mercado Pago's IPN) and
# what is refused. Past it: 429 with Retry-After. What is proved is never counted here.
#max_unproved_per_second = 1000
#max_unproved_per_second_by_address = 1000
# How long a head, a whole body, and the next piece of a body may take, milliseconds. Past it: 408.
#header_timeout_ms = 10000
#body_timeout_ms = 15000
#body_idle_timeout_ms = 5000
# How long the queue may take to make a delivery durable, milliseconds. Past it: 503, and the gateway sends again.
#publish_timeout_ms = 5000
# How long requests under way are waited for at a stop, milliseconds.
#drain_timeout_ms = 25000

# A listener that speaks TLS, 1.2 and 1.3. Who has a client certificate of an account's authorities may show it. The files are
# looked at every two seconds: a renewed certificate is shown to whoever connects next, and nobody is cut off.
#[ingress.tls]
#listen = "127.0.0.1:8443"
#certificate = "tls/fullchain.pem"
#key = { file = "tls/key.pem" }

# A listener of its own for those who must show a certificate (banks of Open Finance, Efí), under a host name of its own.
#[ingress.mtls]
#listen = "127.0.0.1:8444"
#certificate = "tls/banks.pem"
#key = { file = "tls/banks-key.pem" }

# Proxies in front, whose word counts about who calls. From anybody else these headers are refused or ignored.
#[ingress.proxies]
#trusted = ["10.0.0.0/8"]
# The header to which each proxy appends the address it saw.
#address_header = "x-forwarded-for"
# The header with the caller's certificate: nginx's $ssl_client_escaped_cert, or Client-Cert as RFC 9440 has it.
#certificate_header = "x-client-certificate"

[admin]
# Health (/healthz), readiness (/readyz) and Prometheus metrics (/metrics). Environment: AFLUENTE_ADMIN_LISTEN.
listen = "127.0.0.1:8421"

[queue]
# Where deliveries wait for the worker. Default: a file in this folder, for one process. For several, on several machines, the
# URL of a RabbitMQ broker, by reference when it holds a password: { file = "queue.url" } or { env = "…" }; several hosts
# of one cluster with commas. Environment, where this is not set: AMQP_URL.
#url = "amqps://afluente@mq1.example,mq2.example/shop"
# Where the broker's management listens, with the same user: `afluente doctor` then sees policies that override us.
#management_url = "http://127.0.0.1:15672"
# What the names of our exchanges and queues on it begin with.
#prefix = "afluente"
# Bytes of deliveries that may wait for the worker; on a broker, in each queue. Past it: 503, and the gateways send again later.
#max_bytes = 1073741824
# Bytes of deliveries an ingress keeps in its own folder while the broker is away. Past it: 503.
#spool_max_bytes = 268435456
# Keys that seal what is queued, by reference as secrets are; the first seals, all open. Default: seal.key alone.
#seal_keys = [{ file = "seal.key" }]

[ledger]
# Where the ledger is. Default: a file of SQLite in this folder. For Postgres its URL, by reference when it holds a
# password, since this file is no secret: { file = "ledger.url" } or { env = "…" }. Environment, where this is not set:
# DATABASE_URL.
#url = "postgres://afluente@db.example/afluente?sslmode=verify-full"

[worker]
# Workers that take from the queue; a ledger in a file has one.
#workers = 1
# Deliveries committed in one transaction at most, and how long a batch waits to fill, milliseconds: what comes while one is
# written is the next.
#batch_size = 256
#linger_ms = 0

[log]
# text or json, to standard error. Environment: AFLUENTE_LOG_FORMAT.
#format = "text"
# A level (error, warn, info, debug) or a filter such as "info,afluente_worker=debug". Environment: AFLUENTE_LOG.
#level = "info"

# One account: your credentials at one gateway for one merchant. Its webhooks go to /webhooks/stripe/shop.
[accounts.shop]
gateway = "stripe"
merchant = "default"
# test or live. A delivery of the other mode is kept and ignored, and an alarm.
mode = "test"
# References, never the secret itself: { file = "…" } that nobody else may read, or { env = "…" }.
# During a rotation name both, the new one first; every one is tried.
secrets = [{ file = "secrets/stripe-shop" }]
# How far a signed time may lie from this machine's clock, both ways, seconds.
#tolerance_seconds = 300
# Your own account id at the gateway; a delivery that names another is kept and ignored, and an alarm.
#external_id = "acct_…"
# The account of another name whose place this one takes; that one is configured no longer and its payments stay there.
#replaces = "old-name"
# Paths its gateway was told before, beside its own.
#aliases = ["/api/stripe/webhook"]
# What it is answered once a delivery is durable, if that is not what its gateway expects.
#success_status = 200
# Where its gateway posts from, where it publishes that; for anybody else there is no such account.
#addresses = ["203.0.113.0/24"]
# Requests a second, proved ones too. Past it: 429. 0 for as many as come.
#max_per_second = 0
# Tokens that end the path of what a gateway does not sign (Mercado Pago's IPN): /webhooks/mercadopago/NAME/TOKEN.
#path_tokens = [{ file = "secrets/loja-path" }]
# User and password of the gateway's webhook as user:password, where it has such (Pagar.me's dashboard).
#logins = [{ file = "secrets/loja-login" }]
# What HMACs are made with, where the gateway has several (Pagar.me v4): sha1 or sha256.
#digest = "sha1"
# Stripe Connect: which connected accounts this endpoint receives for: "own" (none), "any", or a list of ids.
#tenants = "own"

# The other gateways, each under the path a running application may have told it. Remove the # of what you use.
#[accounts.loja]
#gateway = "pagarme"
#mode = "test"
#logins = [{ file = "secrets/loja-login" }]
#aliases = ["/api/payments/pagarme/webhook"]

#[accounts.apps]
#gateway = "appmax"
#mode = "test"
#path_tokens = [{ file = "secrets/apps-path" }]
#aliases = ["/api/webhooks/appmax"]

# Who posts says how it speaks: ofb (a bank), transfeera, efi or house (a system of your own).
#[accounts.bank]
#gateway = "openfinance"
#profile = "ofb"
#mode = "test"
#external_id = "b961c4eb-509d-4edf-afeb-35642b38185d"
#client_certificates = { authorities = "certificates/icp-brasil.pem" }
# What stands behind an alias is the bank's: register https://YOUR-HOST/api/open-finance/webhook as its base address.
#aliases = ["/api/open-finance/webhook"]

#[accounts.feira]
#gateway = "mercadopago"
#mode = "test"
#secrets = [{ file = "secrets/feira" }]
#aliases = ["/api/mercadopago/webhook"]

# The public keys its gateway signs with are asked for (Pagar.me's Hub).
#[accounts.loja.keys]
#base = "https://hubapi.pagar.me"
#allow_other_host = false

# How its gateway is asked what only it knows. Without this, questions stay open; see `afluente wants list`.
#[accounts.shop.api]
#token = { file = "secrets/stripe-shop-key" }
# Where tokens are given out for them (Mercado Pago), instead of a token:
#client_id = "…"
#client_secret = { file = "secrets/loja-client" }
#calls_per_second = 20
# Of all processes together; 0 for as many as there are.
#calls_per_month = 0
#at_once = 4
# Another address than the gateway's own has to be allowed; `check` and `/readyz` say so.
#base = "https://api.stripe.com"
# Where tokens are given out, if that is not the API's own address.
#token_base = "https://auth.example.com"
#allow_other_host = false
"#;
