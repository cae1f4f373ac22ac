//! Which call reads an object back.

use afluente_model::{Asked, WantKind};

use crate::reading::{Absent, Call, Impossible, Want};

/// Kinds of objects and where the API has them, with what begins their ids. Transactions of v4 have numbers and no call here.
const PATHS: &[(WantKind, &str, &str)] = &[
    (WantKind::Payment, "/charges/", "ch_"),
    (WantKind::Order, "/orders/", "or_"),
    (WantKind::Subscription, "/subscriptions/", "sub_"),
];

pub(super) fn calls(want: &Want) -> Result<Vec<Call>, Impossible> {
    let id = want.id.as_str();
    let is_plain = id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    let path = PATHS.iter().find(|(kind, _, begins)| *kind == want.kind && id.starts_with(begins) && is_plain);
    let (_, path, _) = path.ok_or(Impossible { kind: want.kind })?;
    let asked = Asked {
        kind: want.kind,
        id: want.id.clone(),
        tenant: want.tenant.clone(),
        context: None,
        path: format!("{path}{id}").into(),
        listed: false,
    };
    Ok(vec![Call { asked, absent: Absent::NotYet }])
}

#[cfg(test)]
mod tests {
    use afluente_model::{ProviderId, WantReason};

    use super::*;

    fn path(kind: WantKind, id: &str) -> Option<String> {
        let id = ProviderId::parse(id).ok()?;
        let want = Want { kind, id, tenant: None, context: None, reason: WantReason::Hint };
        Some(calls(&want).ok()?[0].asked.path.to_string())
    }

    #[test]
    fn charges_orders_and_subscriptions_have_a_path_and_nothing_else_gets_into_one() {
        assert_eq!(path(WantKind::Payment, "ch_1").as_deref(), Some("/charges/ch_1"));
        assert_eq!(path(WantKind::Order, "or_1").as_deref(), Some("/orders/or_1"));
        assert_eq!(path(WantKind::Subscription, "sub_1").as_deref(), Some("/subscriptions/sub_1"));
        for id in ["406483", "or_1", "ch_1/x", "ch_1?a=b", "ch_../x", "ch_%2F", "ch_é"] {
            assert_eq!(path(WantKind::Payment, id), None, "{id}");
        }
        assert_eq!(path(WantKind::Invoice, "in_1"), None);
    }
}
