//! From a path to a gateway and an account.

use afluente_model::Gateway;

/// Where a request wants to go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Route<'a> {
    /// `/webhooks/{gateway}/{account}[/{rest}]` with a gateway we know. Whether the account exists is not known yet, nor whether
    /// anything may stand behind it.
    Webhook { gateway: Gateway, account: &'a str, rest: Option<&'a str> },
    /// Everything else.
    Unknown,
}

impl Route<'_> {
    /// The route of a path, compared byte for byte: no percent-decoding, no merging of slashes, no trailing slash. An
    /// account's name holds nothing that needs encoding, so an encoded path names no account.
    pub(crate) fn of(path: &str) -> Route<'_> {
        let webhook = path.strip_prefix("/webhooks/").and_then(|rest| rest.split_once('/'));
        let Some((gateway, rest)) = webhook.and_then(|(slug, rest)| Some((Gateway::from_slug(slug)?, rest))) else {
            return Route::Unknown;
        };
        let (account, rest) = rest.split_once('/').map_or((rest, None), |(account, rest)| (account, Some(rest)));
        let is_whole = !account.is_empty() && rest.is_none_or(|rest| !rest.is_empty());
        if is_whole { Route::Webhook { gateway, account, rest } } else { Route::Unknown }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_taken_as_it_stands_with_something_behind_the_account_or_without() {
        let (gateway, account) = (Gateway::Stripe, "main");
        assert_eq!(Route::of("/webhooks/stripe/main"), Route::Webhook { gateway, account, rest: None });
        for rest in ["to-ken", "token/more", "token/", "a/b%2Fc"] {
            let path = format!("/webhooks/stripe/main/{rest}");
            assert_eq!(Route::of(&path), Route::Webhook { gateway, account, rest: Some(rest) });
        }
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
            "/webhooks/stripe//token",
            "webhooks/stripe/main",
        ] {
            assert_eq!(Route::of(path), Route::Unknown, "{path:?}");
        }
    }
}
