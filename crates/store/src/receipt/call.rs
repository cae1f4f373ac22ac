//! What was asked, as the JSON kept with its answer.

use std::borrow::Cow;

use afluente_model::{Asked, ProviderId, WantKind};
use serde::{Deserialize, Serialize};

use crate::error::StoreError;
use crate::input::json_text;

#[derive(Serialize, Deserialize)]
struct Kept<'a> {
    kind: Cow<'a, str>,
    id: Cow<'a, str>,
    tenant: Option<Cow<'a, str>>,
    context: Option<Cow<'a, str>>,
    path: Cow<'a, str>,
    listed: bool,
}

pub(super) fn text(asked: &Asked) -> Result<String, StoreError> {
    json_text(&Kept {
        kind: asked.kind.as_str().into(),
        id: asked.id.as_str().into(),
        tenant: asked.tenant.as_ref().map(|tenant| tenant.as_str().into()),
        context: asked.context.as_ref().map(|context| context.as_str().into()),
        path: (&*asked.path).into(),
        listed: asked.listed,
    })
}

/// `None` for a text that is none of ours.
pub(super) fn read(text: &str) -> Option<Asked> {
    let kept: Kept<'_> = serde_json::from_str(text).ok()?;
    let id = |text: Cow<'_, str>| ProviderId::parse(&text);
    Some(Asked {
        kind: WantKind::parse(&kept.kind)?,
        id: id(kept.id).ok()?,
        tenant: kept.tenant.map(id).transpose().ok()?,
        context: kept.context.map(id).transpose().ok()?,
        path: kept.path.into(),
        listed: kept.listed,
    })
}
