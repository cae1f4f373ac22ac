//! `afluente customers show`: one person, with everything that hangs together.

use afluente_model::Timestamp;
use afluente_model::identity::Decided;
use afluente_store::people::DecisionRow;
use afluente_store::report::{ClaimView, CustomerView, EventView, LinkView, MethodView};
use afluente_store::{PaymentRow, Store, StoreError, SubscriptionRow};
use clap::Args;
use serde_json::{Value, json};

use super::{Asked, claim, decision, list};
use crate::event::change_json;
use crate::exit::Failure;
use crate::{output, payment, subscription};

/// A value may be several people's: two documents may share an address.
const MOST_FOUND: u32 = 10;

#[derive(Args)]
pub(crate) struct ShowArgs {
    /// An e-mail address, a CPF or CNPJ, a gateway's customer such as cus_123, a payment, or our id
    #[arg(value_name = "WHO")]
    who: String,
    /// At most this many payments, subscriptions and claims of each
    #[arg(long, default_value_t = 20, value_name = "N")]
    limit: u32,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// A customer and what is its own.
struct Person {
    customer: CustomerView,
    links: Vec<LinkView>,
    methods: Vec<MethodView>,
    subscriptions: Vec<SubscriptionRow>,
    payments: Vec<PaymentRow>,
    claims: Vec<ClaimView>,
    decisions: Vec<DecisionRow>,
    events: Vec<EventView>,
}

pub(super) async fn run(store: &Store, args: &ShowArgs) -> Result<(), Failure> {
    let (who, asked) = (args.who.trim(), Asked::read(&args.who));
    let found = store.customers_found(asked.who(), MOST_FOUND).await?;
    if found.is_empty() {
        return Err(Failure::Found(format!(
            "no customer is known by {who}; `afluente customers list` shows who is, `afluente customers claims ID` what is claimed"
        )));
    }
    let mut documents = Vec::new();
    for customer in found {
        let person = Person::read(store, customer, args.limit).await?;
        if args.json {
            documents.push(person.document());
        } else {
            output::print(&person.text());
        }
    }
    if args.json {
        output::print_json(&Value::Array(documents));
    }
    Ok(())
}

impl Person {
    async fn read(store: &Store, customer: CustomerView, limit: u32) -> Result<Person, StoreError> {
        let id = customer.id;
        let links = store.links_of(id).await?;
        let mut decisions = store.all_decisions().await?;
        decisions.retain(|one| concerns(one, &customer, &links));
        Ok(Person {
            links,
            decisions,
            methods: store.methods_of(id).await?,
            subscriptions: store.subscriptions_of(id, limit).await?,
            payments: store.payments_of(id, limit).await?,
            claims: store.claims_of_customer(id, limit).await?,
            events: store.events_of("customer", id).await?,
            customer,
        })
    }

    fn document(&self) -> Value {
        let now = afluente_worker::now();
        json!({
            "customer": list::document(&self.customer),
            "accounts": self.links.iter().map(link_json).collect::<Vec<_>>(),
            "methods": self.methods.iter().map(method_json).collect::<Vec<_>>(),
            "subscriptions": self.subscriptions.iter().map(|row| subscription::document(row, now)).collect::<Vec<_>>(),
            "payments": self.payments.iter().map(payment::row_json).collect::<Vec<_>>(),
            "decisions": self.decisions.iter().map(decision::document).collect::<Vec<_>>(),
            "claims": self.claims.iter().map(claim::document).collect::<Vec<_>>(),
            "events": self.events.iter().map(change_json).collect::<Vec<_>>(),
        })
    }

    fn text(&self) -> String {
        let mut text = output::record(&list::document(&self.customer));
        let mut section = |name: &str, is_empty: bool, table: String| {
            let table = if is_empty { "none\n".to_owned() } else { table };
            text.push_str(&format!("\n{name}\n{table}"));
        };
        section("accounts", self.links.is_empty(), links(&self.links));
        section("payment methods", self.methods.is_empty(), methods(&self.methods));
        let subscriptions = subscription::table(&self.subscriptions, afluente_worker::now());
        section("subscriptions", self.subscriptions.is_empty(), subscriptions);
        section("payments", self.payments.is_empty(), payment::payments_table(&self.payments));
        section("decisions", self.decisions.is_empty(), decision::table(&self.decisions));
        section("claims", self.claims.is_empty(), claim::table(&self.claims));
        section("changes", self.events.is_empty(), subscription::changes(&self.events));
        text
    }
}

/// Whether somebody decided this of it, of its address or of its customers at gateways.
fn concerns(one: &DecisionRow, customer: &CustomerView, links: &[LinkView]) -> bool {
    let is_its_key = |kind: &str, value: &str| customer.key_kind == kind && customer.key_value == value;
    let is_of = match &one.of {
        Decided::Email(email) => is_its_key("email", email) || customer.email.as_deref() == Some(&**email),
        Decided::Customer(named) => links.iter().any(|link| {
            link.account == named.account.as_str()
                && *link.tenant == *named.tenant
                && link.provider_customer_id.as_deref() == Some(&*named.id)
        }),
    };
    one.merchant.as_str() == customer.merchant && (is_of || is_its_key(one.verdict.kind(), one.verdict.target()))
}

pub(super) fn at_account(account: &str, tenant: &str) -> String {
    if tenant.is_empty() { account.to_owned() } else { format!("{account}/{tenant}") }
}

fn links(links: &[LinkView]) -> String {
    let rows = links.iter().map(|one| {
        vec![
            at_account(&one.account, &one.tenant),
            one.provider_customer_id.clone().unwrap_or_else(|| "-".to_owned()),
            one.linked_by.clone(),
            one.updated_at.to_string(),
        ]
    });
    output::table(&["ACCOUNT", "CUSTOMER THERE", "LINKED BY", "UPDATED"], &[], rows)
}

fn link_json(one: &LinkView) -> Value {
    json!({
        "account": one.account, "tenant": one.tenant, "provider_customer_id": one.provider_customer_id,
        "linked_by": one.linked_by, "updated_at": one.updated_at.to_string(),
    })
}

fn methods(methods: &[MethodView]) -> String {
    let shown = |text: &str| if text.is_empty() { "-".to_owned() } else { text.to_owned() };
    let at = |at: Option<Timestamp>| at.map_or_else(|| "-".to_owned(), |at| at.to_string());
    let rows = methods.iter().map(|one| {
        vec![
            one.provider_method_id.clone().unwrap_or_else(|| "-".to_owned()),
            at_account(&one.account, &one.tenant),
            shown(&one.kind),
            shown(&one.brand),
            shown(&one.last4),
            shown(&one.expiry),
            one.state.clone(),
            if one.is_default { "yes".to_owned() } else { "-".to_owned() },
            at(one.used_at),
        ]
    });
    let headings = ["METHOD", "ACCOUNT", "KIND", "BRAND", "LAST 4", "EXPIRES", "STATE", "DEFAULT", "USED"];
    output::table(&headings, &[], rows)
}

fn method_json(one: &MethodView) -> Value {
    let said = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    json!({
        "account": one.account, "tenant": one.tenant, "provider_method_id": one.provider_method_id, "kind": said(&one.kind),
        "brand": said(&one.brand), "last4": said(&one.last4), "expiry": said(&one.expiry), "state": one.state,
        "is_default": one.is_default, "used_at": one.used_at.map(|at| at.to_string()),
    })
}
