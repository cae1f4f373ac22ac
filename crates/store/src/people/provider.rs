//! Customers at the gateways.

use afluente_model::identity::{GatewayCustomer, Known};
use afluente_model::{AccountName, MerchantName, Timestamp};
use sqlx::FromRow;
use uuid::Uuid;

use crate::backend::Tx;
use crate::cell::Id;
use crate::error::StoreError;
use crate::input::id_rows;
use crate::people::identity::{CustomerInput, account, merchant};
use crate::people::value::{Value, ValueInput};
use crate::rows::{ids, records, rows};

const TABLE: &str = "customer_providers";

records! {
    struct Record {
        id: uuid,
        account: string,
        tenant: string,
        provider_customer_id: string,
        customer_id: opt uuid,
        document: opt string,
        email: opt string,
    }
    from { account: text, tenant: text, provider_customer_id: text } READ = "people/providers_select";
    from { merchant: text, value: text } BY_EMAIL = "people/providers_by_email";
}

rows! {
    struct WriteInput<'a> {
        id: uuid,
        merchant: text,
        account: text,
        tenant: text,
        provider_customer_id: text,
        document: opt text,
        email: opt text,
        now: moment,
    }
    WRITE = "people/providers_write";
}

rows! {
    struct LinkInput<'a> {
        account: text,
        tenant: text,
        provider_customer_id: text,
        customer_id: uuid,
        linked_by: text,
        now: moment,
    }
    LINK = "people/providers_link";
}

rows! {
    struct UnnamedInput<'a> {
        id: uuid,
        merchant: text,
        account: text,
        tenant: text,
        customer_id: uuid,
        linked_by: text,
        now: moment,
    }
    UNNAMED_INSERT = "people/providers_unnamed_insert";
}

ids! {
    ACCOUNTS = "people/accounts_of";
    UNNAMED_DROP = "people/providers_unnamed_drop";
}

#[derive(FromRow)]
struct AccountRecord {
    customer_id: Id,
    merchant: String,
    account: String,
    tenant: String,
    key_kind: String,
    provider_customer_id: String,
}

/// A gateway's customer as the ledger holds it.
#[derive(Clone, Debug)]
pub struct ProviderRow {
    /// Whose it is at the gateway.
    pub named: GatewayCustomer,
    /// The person, once linked.
    pub customer: Option<Uuid>,
    /// What was said of it last.
    pub known: Known,
}

/// A customer at an account that has named none of its own.
#[derive(Clone, Debug)]
pub struct Unnamed {
    /// The person.
    pub customer: Uuid,
    /// The merchant.
    pub merchant: MerchantName,
    /// The account.
    pub account: AccountName,
    /// The gateway's sub-account, empty for none.
    pub tenant: Box<str>,
    /// What links them: the kind of what makes the person the same.
    pub linked_by: Box<str>,
}

impl Tx {
    /// What is kept of these customers of gateways.
    pub async fn providers(&mut self, customers: &[&GatewayCustomer]) -> Result<Vec<ProviderRow>, StoreError> {
        let rows: Vec<CustomerInput<'_>> = customers.iter().map(|customer| CustomerInput::from(*customer)).collect();
        read(self.gather(&READ, &rows).await?)
    }

    /// Those of which no document and one of these addresses is known.
    pub async fn providers_known_by_email(&mut self, emails: &[Value]) -> Result<Vec<ProviderRow>, StoreError> {
        let rows: Vec<ValueInput<'_>> = emails.iter().map(ValueInput::from).collect();
        read(self.gather(&BY_EMAIL, &rows).await?)
    }

    /// Keeps what is known of them now.
    pub async fn save_providers(
        &mut self,
        rows: &[(&MerchantName, &GatewayCustomer, &Known)],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut rows: Vec<WriteInput<'_>> = rows
            .iter()
            .map(|(merchant, named, known)| WriteInput {
                id: Uuid::now_v7().into(),
                merchant: merchant.as_str(),
                account: named.account.as_str(),
                tenant: &named.tenant,
                provider_customer_id: &named.id,
                document: known.document.as_deref(),
                email: known.email.as_deref(),
                now: now.into(),
            })
            .collect();
        rows.sort_by_key(|row| (row.account, row.tenant, row.provider_customer_id));
        self.execute(&WRITE, &rows).await?;
        Ok(())
    }

    /// Links them to people, with the word for what links them.
    pub async fn link_providers(
        &mut self,
        rows: &[(&GatewayCustomer, Uuid, &'static str)],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut rows: Vec<LinkInput<'_>> = rows
            .iter()
            .map(|(named, customer, linked_by)| LinkInput {
                account: named.account.as_str(),
                tenant: &named.tenant,
                provider_customer_id: &named.id,
                customer_id: (*customer).into(),
                linked_by,
                now: now.into(),
            })
            .collect();
        rows.sort_by_key(|row| (row.account, row.tenant, row.provider_customer_id));
        self.execute(&LINK, &rows).await?;
        Ok(())
    }

    /// The accounts these people are known at without any id of the gateway's.
    pub async fn unnamed_of(&mut self, customers: &[Uuid]) -> Result<Vec<Unnamed>, StoreError> {
        let records: Vec<AccountRecord> = self.fetch(&ACCOUNTS, &id_rows(customers)).await?;
        let unnamed = records.into_iter().filter(|row| row.provider_customer_id.is_empty());
        unnamed
            .map(|row| {
                Ok(Unnamed {
                    customer: row.customer_id.into(),
                    merchant: merchant(TABLE, &row.merchant)?,
                    account: account(TABLE, &row.account)?,
                    tenant: row.tenant.into(),
                    linked_by: row.key_kind.into(),
                })
            })
            .collect()
    }

    /// Keeps those links, and of these people no other without a gateway's id.
    pub async fn save_unnamed(
        &mut self,
        customers: &[Uuid],
        unnamed: &[Unnamed],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.execute(&UNNAMED_DROP, &id_rows(customers)).await?;
        let mut rows: Vec<UnnamedInput<'_>> = unnamed
            .iter()
            .map(|one| UnnamedInput {
                id: Uuid::now_v7().into(),
                merchant: one.merchant.as_str(),
                account: one.account.as_str(),
                tenant: &one.tenant,
                customer_id: one.customer.into(),
                linked_by: &one.linked_by,
                now: now.into(),
            })
            .collect();
        rows.sort_by_key(|row| (row.customer_id, row.account, row.tenant));
        self.execute(&UNNAMED_INSERT, &rows).await?;
        Ok(())
    }
}

fn read(records: Vec<Record>) -> Result<Vec<ProviderRow>, StoreError> {
    let row = |row: Record| {
        let named = GatewayCustomer {
            account: account(TABLE, &row.account)?,
            tenant: row.tenant.into(),
            id: row.provider_customer_id.into(),
        };
        let known = Known { document: row.document.map(Into::into), email: row.email.map(Into::into) };
        Ok(ProviderRow { named, customer: row.customer_id.map(Uuid::from), known })
    };
    records.into_iter().map(row).collect()
}
