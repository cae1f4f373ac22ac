//! A data folder with a test account at every gateway, whose APIs are played on this machine.

use std::net::{SocketAddr, TcpListener};
use std::path::Path;

use afluente_simulate::openfinance;

use crate::exit::Failure;
use crate::{config, init};

/// Secrets nobody has to keep: they are for test accounts that no gateway knows.
const SECRETS: &[(&str, &str)] = &[
    ("secrets/stripe-shop", "whsec_of_the_demo_shop"),
    ("secrets/loja-login", "loja:a-password-of-the-demo"),
    ("secrets/loja-v4", "ak_test_of_the_demo"),
    ("secrets/loja-key", "sk_test_of_the_demo"),
    ("secrets/apps-path", "a-token-of-the-demo"),
    ("secrets/apps-client", "client-secret-of-the-demo"),
    ("secrets/feira", "secret-of-the-demo-feira"),
    ("secrets/feira-token", "APP_USR-of-the-demo"),
    ("secrets/pix", "signature-secret-of-the-demo"),
    ("secrets/casa", "house-secret-of-the-demo"),
];

/// Writes the folder. One that has a configuration already is left as it is.
pub(super) fn prepare(folder: &Path) -> Result<(), Failure> {
    if folder.join(config::FILE).exists() {
        return Err(Failure::Usage(format!("{} has a configuration already; choose another folder", folder.display())));
    }
    for (name, text) in SECRETS.iter().copied().chain([("secrets/bank-key.pem", openfinance::CLIENT_KEY)]) {
        init::private(folder, name, text)?;
    }
    init::private(folder, "certificates/simulated-authority.pem", openfinance::AUTHORITY)?;
    init::private(folder, config::FILE, &configuration(free_ports()?))?;
    init::complete(folder).map(drop)
}

/// Addresses nobody listens at now.
fn free_ports() -> Result<[SocketAddr; 6], Failure> {
    let bound: Result<Vec<TcpListener>, _> = (0..6).map(|_| TcpListener::bind("127.0.0.1:0")).collect();
    let bound = bound.map_err(|error| Failure::unavailable(&error))?;
    let addresses: Result<Vec<SocketAddr>, _> = bound.iter().map(TcpListener::local_addr).collect();
    let addresses = addresses.map_err(|error| Failure::unavailable(&error))?;
    addresses.try_into().map_err(|_| Failure::Unavailable("no free ports".to_owned()))
}

fn configuration([ingress, admin, pagarme, appmax, mercadopago, bank]: [SocketAddr; 6]) -> String {
    let calls = "calls_per_second = 500\nat_once = 16";
    let here = |address: SocketAddr| format!("base = \"http://{address}\"\nallow_other_host = true\n{calls}");
    let organisation = openfinance::ORGANISATION;
    format!(
        r#"# A test account at every gateway. `afluente simulate --gateways all` plays them and their APIs on this machine.

[ingress]
listen = "{ingress}"

# The simulated bank posts through a proxy that forwards its certificate.
[ingress.proxies]
trusted = ["127.0.0.1"]
certificate_header = "x-client-certificate"

[admin]
listen = "{admin}"

[accounts.shop]
gateway = "stripe"
mode = "test"
secrets = [{{ file = "secrets/stripe-shop" }}]
aliases = ["/api/stripe/webhook"]

[accounts.loja]
gateway = "pagarme"
mode = "test"
external_id = "acc_Simulated0000001"
logins = [{{ file = "secrets/loja-login" }}]
secrets = [{{ file = "secrets/loja-v4" }}]
aliases = ["/api/payments/pagarme/webhook"]
[accounts.loja.keys]
base = "http://{pagarme}"
allow_other_host = true
[accounts.loja.api]
token = {{ file = "secrets/loja-key" }}
{loja}

[accounts.apps]
gateway = "appmax"
mode = "test"
path_tokens = [{{ file = "secrets/apps-path" }}]
aliases = ["/api/webhooks/appmax"]
[accounts.apps.api]
client_id = "apps"
client_secret = {{ file = "secrets/apps-client" }}
{apps}

[accounts.bank]
gateway = "openfinance"
profile = "ofb"
mode = "test"
external_id = "{organisation}"
client_certificates = {{ authorities = "certificates/simulated-authority.pem" }}
aliases = ["/api/open-finance/webhook"]
[accounts.bank.api]
base = "http://{bank}"
client_id = "afluente-demo"
token_endpoint = "http://{bank}/token"
signing_key = {{ file = "secrets/bank-key.pem" }}
signing_key_id = "demo-1"
organisation = "5a3f2f5e-7b0d-4d2f-9c61-8e1a9d5b6c70"
keys_base = "http://{bank}"
allow_other_host = true
{calls}

[accounts.pix]
gateway = "openfinance"
profile = "transfeera"
mode = "test"
secrets = [{{ file = "secrets/pix" }}]

[accounts.casa]
gateway = "openfinance"
profile = "house"
mode = "test"
secrets = [{{ file = "secrets/casa" }}]

[accounts.feira]
gateway = "mercadopago"
mode = "test"
external_id = "700700"
secrets = [{{ file = "secrets/feira" }}]
aliases = ["/api/mercadopago/webhook"]
[accounts.feira.api]
token = {{ file = "secrets/feira-token" }}
{feira}
"#,
        loja = here(pagarme),
        apps = here(appmax),
        feira = here(mercadopago),
    )
}
