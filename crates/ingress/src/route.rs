//! From a path to a gateway and an account.

use afluente_model::Gateway;

/// Where a request wants to go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Route<'a> {
    /// `/webhooks/{gateway}/{account}` with a gateway we know. Whether the account exists is not known yet.
    Webhook { gateway: Gateway, account: &'a str },
    /// Everything else.
    Unknown,
}

impl Route<'_> {
    /// The route of a path, compared byte for byte: no percent-decoding, no merging of slashes, no trailing slash. An
    /// account's name holds nothing that needs encoding, so an encoded path names no account.
    pub(crate) fn of(path: &str) -> Route<'_> {
        let webhook = path.strip_prefix("/webhooks/").and_then(|rest| rest.split_once('/'));
        match webhook.and_then(|(slug, account)| Some((Gateway::from_slug(slug)?, account))) {
            Some((gateway, account)) if !account.is_empty() && !account.contains('/') => {
                Route::Webhook { gateway, account }
            }
            Some(_) | None => Route::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_one_path_is_taken_as_it_stands() {
        assert_eq!(Route::of("/webhooks/stripe/main"), Route::Webhook { gateway: Gateway::Stripe, account: "main" });
    }

    #[test]
    fn paths_that_only_resemble_it_lead_nowhere() {
        for path in [
            "",
            "/",
            "*",
            "/webhooks",
            "/webhooks/",
            "/webhooks/stripe",
            "/webhooks/stripe/",
            "/webhooks/stripe/main/",
            "/webhooks/stripe//main",
            "/webhooks//stripe/main",
            "//webhooks/stripe/main",
            "/webhooks/Stripe/main",
            "/Webhooks/stripe/main",
            "/webhooks/%73tripe/main",
            "/webhooks/stripe%2Fmain",
            "/webhooks/../webhooks/stripe/main",
            "/webhooks/stripe/main/token",
            "webhooks/stripe/main",
        ] {
            assert_eq!(Route::of(path), Route::Unknown, "{path:?}");
        }
    }
}
