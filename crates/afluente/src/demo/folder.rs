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
    format!(
        include_str!("afluente.toml"),
        ingress = ingress,
        admin = admin,
        pagarme = pagarme,
        bank = bank,
        organisation = openfinance::ORGANISATION,
        calls = calls,
        loja = here(pagarme),
        apps = here(appmax),
        feira = here(mercadopago),
    )
}
