//! Which call reads an object back.

use afluente_model::{Asked, ProviderId, WantKind};

use super::query::is_id;
use crate::reading::{Absent, Call, Impossible, Want};

/// Kinds of objects and where the API has them.
const PATHS: &[(WantKind, &str)] = &[
    (WantKind::Payment, "/v1/payments/"),
    (WantKind::MerchantOrder, "/merchant_orders/"),
    (WantKind::Chargeback, "/v1/chargebacks/"),
    (WantKind::Claim, "/post-purchase/v1/claims/"),
    (WantKind::Subscription, "/preapproval/"),
    (WantKind::Plan, "/preapproval_plan/"),
    (WantKind::Instalment, "/authorized_payments/"),
    (WantKind::Order, "/v1/orders/"),
    (WantKind::Customer, "/v1/customers/"),
];

/// The id the panel's simulator uses unless it is told another: nothing has it.
const SIMULATED: &str = "123456";

/// Whether something can be read back by this id.
pub(super) fn is_readable(kind: WantKind, id: &ProviderId) -> bool {
    // A payment of an order has an id of its own, which only the order knows.
    let is_number = id.as_str().bytes().all(|b| b.is_ascii_digit());
    is_id(id.as_str()) && (kind != WantKind::Payment || is_number)
}

pub(super) fn calls(want: &Want) -> Result<Vec<Call>, Impossible> {
    let path = PATHS.iter().find(|(kind, _)| *kind == want.kind).map(|(_, path)| path);
    let path = path.filter(|_| is_readable(want.kind, &want.id)).ok_or(Impossible { kind: want.kind })?;
    let asked = Asked {
        kind: want.kind,
        id: want.id.clone(),
        tenant: want.tenant.clone(),
        context: want.context.clone(),
        path: format!("{path}{}", want.id).into(),
        listed: false,
    };
    let absent = if want.id.as_str() == SIMULATED { Absent::Never } else { Absent::NotYet };
    Ok(vec![Call { asked, absent }])
}

#[cfg(test)]
mod tests {
    use afluente_model::WantReason;

    use super::*;

    fn want(kind: WantKind, id: &str) -> Want {
        let id = ProviderId::parse(id).unwrap();
        Want { kind, id, tenant: None, context: None, reason: WantReason::Hint }
    }

    #[test]
    fn every_object_has_its_path() {
        for (kind, path) in PATHS {
            assert_eq!(*calls(&want(*kind, "12")).unwrap()[0].asked.path, format!("{path}12"));
        }
        assert!(calls(&want(WantKind::Charge, "12")).is_err());
    }

    #[test]
    fn nothing_else_gets_into_a_path() {
        for id in ["../x", "1/2", "1?a=b", "1%2F2", "1;2", "é"] {
            assert!(ProviderId::parse(id).is_err() || calls(&want(WantKind::Order, id)).is_err(), "{id}");
        }
        assert!(calls(&want(WantKind::Payment, "PAY01")).is_err(), "only its order knows it");
    }

    #[test]
    fn only_the_simulators_id_is_never_there() {
        let absent = |id| calls(&want(WantKind::Payment, id)).unwrap()[0].absent;
        assert_eq!((absent("123456"), absent("1234567")), (Absent::Never, Absent::NotYet));
    }
}
