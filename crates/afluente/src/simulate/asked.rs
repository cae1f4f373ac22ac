//! The gateway's API, where what is posted is read back.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use afluente_gateways::profile::Shown;
use afluente_lookup::{Auth, Base};
use afluente_model::Gateway;
use afluente_simulate::{Api, Conditions, Key, Objects, check};
use afluente_store::{Class, Store};
use indicatif::{ProgressBar, ProgressStyle};

use super::SimulateArgs;
use crate::config::AccountConfig;
use crate::exit::Failure;

/// The longest an object lags behind its notice: less than a hint rests before it is asked.
const LAG: Duration = Duration::from_millis(1_500);
/// Whoever has no public keys asks for them every ten seconds. Who does not ask has them, from an earlier simulation.
const KEYS: Duration = Duration::from_secs(12);
/// Without a look into the ledger, the API goes on until nobody has asked for this long.
pub(super) const QUIET: Duration = Duration::from_secs(10);

/// Starts the API where the account asks.
pub(super) async fn serve(args: &SimulateArgs, account: &AccountConfig, objects: Objects) -> Result<Api, Failure> {
    let Some(access) = &account.access else {
        return Err(Failure::Usage(format!(
            "account {0} asks nobody, and what {1} posts has to be read back: add [accounts.{0}.api] with a token, \
             base = \"http://127.0.0.1:8440\" and allow_other_host = true; {1}'s API is played there",
            account.name,
            account.gateway.slug()
        )));
    };
    let address = access.base.loopback().ok_or_else(|| {
        Failure::Usage(format!(
            "account {} asks {}; expected an address of this machine such as http://127.0.0.1:8440, where {}'s API is played",
            account.name,
            access.base,
            account.gateway.slug()
        ))
    })?;
    let signed_at = access.signed.as_ref().map(|signed| &signed.base);
    if let Some(elsewhere) = account.keys_at.as_ref().or(signed_at).filter(|keys| keys.loopback() != Some(address)) {
        return Err(Failure::Usage(format!(
            "account {} gets its public keys at {elsewhere}; expected them where its API is played: {}",
            account.name,
            if signed_at.is_some() {
                format!("keys_base = \"{}\" under [accounts.{}.api]", access.base, account.name)
            } else {
                format!("base = \"{}\" under [accounts.{}.keys]", access.base, account.name)
            }
        )));
    }
    let key = match &access.auth {
        Auth::Bearer(token) => Key::Token(token.clone()),
        Auth::Key(key) => Key::Basic(key.clone()),
        Auth::Query { name, token } => Key::Query { name, token: token.clone() },
        Auth::Assertion(assertion) => signer(account, &assertion.client_id, &assertion.endpoint, address)?,
        Auth::Client { id, secret, tokens, .. } => Key::Client {
            id: id.clone(),
            secret: secret.clone(),
            path: tokens.path,
            is_form: tokens.shown == Shown::Form,
        },
    };
    let keys_away = Duration::from_secs(args.keys_away);
    let conditions =
        Conditions { trouble: args.trouble, phases: args.api.clone(), lag: LAG, keys_away, seed: args.seed };
    Api::serve(address, objects, key, conditions).await.map_err(|error| {
        Failure::Unavailable(format!("cannot listen at {address} for the API of {}: {error}", account.name))
    })
}

/// A bank, as the account knows it.
fn signer(account: &AccountConfig, client_id: &str, endpoint: &Base, address: SocketAddr) -> Result<Key, Failure> {
    let signed = account.access.as_ref().and_then(|access| access.signed.as_ref());
    let is_here = http::Uri::try_from(endpoint.to_string())
        .is_ok_and(|uri| uri.port_u16() == Some(address.port()) && endpoint.is_this_machine());
    let Some(signed) = signed.filter(|_| is_here) else {
        return Err(Failure::Usage(format!(
            "account {} gets its tokens at {endpoint}; expected them where its API is played: token_endpoint = \"http://{address}/token\"",
            account.name
        )));
    };
    Ok(Key::Signer {
        client_id: client_id.into(),
        endpoint: endpoint.to_string().into(),
        issuer: signed.expected.issuer.clone(),
        audience: signed.expected.audience.clone(),
    })
}

/// Shows the first public keys, and waits until who verifies has them, so that what they sign is believed.
pub(super) async fn keys(api: &Api, account: &AccountConfig) {
    let is_signed = account.access.as_ref().is_some_and(|access| access.signed.is_some());
    if account.keys_at.is_some() || is_signed {
        api.shows_keys(KEYS).await;
    }
}

/// Waits until every question of the account was answered, or patience is over: how many are open then.
pub(super) async fn answered(
    store: &Store,
    gateway: Gateway,
    account: &str,
    patience: Duration,
) -> Result<usize, Failure> {
    let (started, spinner) = (Instant::now(), ProgressBar::new_spinner());
    if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} {elapsed}") {
        spinner.set_style(style);
    }
    let mut left = usize::MAX;
    loop {
        match check::open_questions(store, gateway, account).await {
            Ok(open) => {
                left = open;
                spinner.set_message(format!("{open} questions are still open"));
            }
            Err(error) if error.class() != Class::Away => return Err(error.into()),
            // It comes back, as the workers expect it to.
            Err(_) => spinner.set_message("the ledger is away"),
        }
        if left == 0 || started.elapsed() > patience {
            break;
        }
        spinner.tick();
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    spinner.finish_and_clear();
    Ok(left)
}
