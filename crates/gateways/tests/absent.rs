//! A gateway that answers 404 says that there is no such thing: the same words for every gateway, and never a fact.

#![allow(clippy::unwrap_used, reason = "a test says what failed by failing")]

use afluente_gateways::{AccountView, Envelope, IgnoredBecause, Tenants, adapters, read};
use afluente_model::{AccountName, Answer, Asked, Gateway, Incoming, Mode, ProviderId, Timestamp, WantKind};
use bytes::Bytes;

fn answer(gateway: Gateway, tenant: Option<&str>, body: &'static [u8]) -> Incoming {
    let id = |text| ProviderId::parse(text).unwrap();
    let asked = Asked {
        kind: WantKind::Disputes,
        id: id("ch_1"),
        tenant: tenant.map(id),
        context: None,
        listed: false,
        path: "/somewhere".into(),
    };
    Incoming::Answer(Answer {
        gateway,
        account: AccountName::parse("shop").unwrap(),
        asked,
        status: 404,
        received_at: Timestamp::EPOCH,
        headers: Vec::new(),
        body: Bytes::from_static(body),
    })
}

#[test]
fn what_is_not_there_is_an_event_named_by_what_was_asked_and_the_body_is_not_read() {
    for gateway in Gateway::ALL {
        for adapter in adapters(*gateway) {
            for (tenant, event) in [(None, "absent:/disputes/ch_1"), (Some("acct_1"), "absent:acct_1/disputes/ch_1")] {
                let view = AccountView { mode: Mode::Test, external_id: None, tenants: Tenants::Own };
                let incoming = answer(*gateway, tenant, b"\xff no JSON");
                let reading = read(*adapter, &Envelope::of(&incoming, &view)).unwrap();
                assert_eq!((reading.event.as_deref(), &*reading.event_type), (Some(event), "disputes absent"));
                assert_eq!(reading.ignored, Some(IgnoredBecause::Absent));
                assert!(reading.facts.is_empty() && reading.wants.is_empty());
            }
        }
    }
}
