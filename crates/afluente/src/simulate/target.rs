//! Whose webhooks are played, and where they are posted.

use std::time::Duration;

use afluente_gateways::CredentialKind;
use afluente_model::{Gateway, Mode};
use afluente_simulate::Target;

use super::SimulateArgs;
use crate::config::AccountConfig;
use crate::config::Config;
use crate::exit::Failure;

/// The account that was named, or the only one for tests at the gateway.
pub(super) fn account<'a>(args: &SimulateArgs, config: &'a Config) -> Result<&'a AccountConfig, Failure> {
    let account = match &args.account {
        Some(name) => named(name, config)?,
        None => only(args.gateway.unwrap_or(Gateway::Stripe), config)?,
    };
    if account.mode == Mode::Live {
        return Err(Failure::Usage(format!(
            "account {} is live; simulated payments belong to a test account",
            account.name
        )));
    }
    if let Some(gateway) = args.gateway.filter(|gateway| *gateway != account.gateway) {
        return Err(Failure::Usage(format!(
            "--account: expected an account at {}, got {} at {}",
            gateway.slug(),
            account.name,
            account.gateway.slug()
        )));
    }
    Ok(account)
}

fn named<'a>(name: &str, config: &'a Config) -> Result<&'a AccountConfig, Failure> {
    config.accounts.iter().find(|one| one.name.as_str() == name).ok_or_else(|| {
        let known: Vec<&str> = config.accounts.iter().map(|one| one.name.as_str()).collect();
        Failure::Usage(format!("--account: expected one of {}, got {name:?}", known.join(", ")))
    })
}

fn only(gateway: Gateway, config: &Config) -> Result<&AccountConfig, Failure> {
    let at_it: Vec<&AccountConfig> = config.accounts.iter().filter(|one| one.gateway == gateway).collect();
    let mut for_tests = at_it.iter().filter(|one| one.mode != Mode::Live);
    match (for_tests.next(), for_tests.next(), at_it.first()) {
        (Some(account), None, _) => Ok(account),
        (Some(_), Some(_), _) => {
            let names: Vec<&str> = at_it.iter().map(|one| one.name.as_str()).collect();
            Err(Failure::Usage(format!("--account: expected one of {}, got nothing", names.join(", "))))
        }
        (None, _, Some(live)) => {
            Err(Failure::Usage(format!("account {} is live; simulated payments belong to a test account", live.name)))
        }
        (None, _, None) => Err(Failure::Usage(format!(
            "--gateway: expected one with an account in the configuration, got {}",
            gateway.slug()
        ))),
    }
}

/// Where to post and how.
pub(super) fn target(args: &SimulateArgs, account: &AccountConfig, config: &Config) -> Result<Target, Failure> {
    let base = args.url.clone().unwrap_or_else(|| format!("http://{}", config.ingress_listen()));
    let url = format!("{}/webhooks/{}/{}", base.trim_end_matches('/'), account.gateway.slug(), account.name);
    let url: http::Uri = url
        .parse()
        .map_err(|_| Failure::Usage(format!("--url: expected a URL such as http://127.0.0.1:8420, got {base:?}")))?;
    if url.scheme_str() != Some("http") || url.port_u16() == Some(0) {
        return Err(Failure::Usage(format!(
            "--url: expected http:// and the port `afluente up` printed, got {base:?}"
        )));
    }
    Ok(Target {
        gateway: account.gateway,
        profile: account.adapter.profile().name,
        url,
        secret: account.credentials.of(CredentialKind::Hmac).next().cloned(),
        token: account.credentials.of(CredentialKind::PathToken).next().cloned(),
        login: account.credentials.of(CredentialKind::Login).next().cloned(),
        api: None,
        connections: args.connections as usize,
        rate: args.rate,
        patience: Duration::from_secs(args.patience),
        tolerance_seconds: account.credentials.tolerance_seconds,
        clock: afluente_worker::now,
    })
}
