//! One declaration of a batch row: its columns, and the statements that take it.
//!
//! A statement is a shared text behind a prefix that unpacks the rows, which come as JSON, into a common table expression
//! named `input`. Only the prefix differs between databases, and it is made here from the list of columns, so that nobody
//! types a column twice.
//!
//! | Word | In Rust | In the JSON | In Postgres | In SQLite |
//! | --- | --- | --- | --- | --- |
//! | `uuid` | [`Id`](crate::cell::Id) | hex | uuid | 16 bytes |
//! | `hash` | 32 bytes | hex | bytea | blob |
//! | `key` | 16 bytes | hex | bytea | blob |
//! | `text` | `&str` | text | text | text |
//! | `string` | `String` | text | text | text |
//! | `int` | `i64` | number | bigint | integer |
//! | `flag` | `bool` | true or false | boolean | integer |
//! | `moment` | [`Moment`](crate::cell::Moment) | microseconds | timestamptz | integer |
//! | `bytes` | [`Slice`](crate::input::Slice) | where in the blob | bytea | blob |
//!
//! `opt` before a word makes it an `Option`.

/// One statement's text for each database.
pub(crate) struct Statement {
    pub(crate) sqlite: &'static str,
    pub(crate) postgres: &'static str,
}

/// Declares a batch row and its statements: `NAME = "file" …, lock table;` is the texts of `sql/file.sql` one after the
/// other behind the row's prefix, and on Postgres locks the rows it selects from that table.
macro_rules! rows {
    ($(#[$attribute:meta])* $visible:vis struct $row:ident<$life:lifetime> $columns:tt $($statements:tt)*) => {
        $crate::rows::row! { $(#[$attribute])* $visible struct $row [$life] [<$life>] $columns }
        $crate::rows::statements! { $columns $($statements)* }
    };
    ($(#[$attribute:meta])* $visible:vis struct $row:ident $columns:tt $($statements:tt)*) => {
        $crate::rows::row! { $(#[$attribute])* $visible struct $row [] [] $columns }
        $crate::rows::statements! { $columns $($statements)* }
    };
}

/// Statements that take nothing but ids.
macro_rules! ids {
    ($($name:ident = $($file:literal)+ $(, lock $table:ident)?;)+) => {
        $crate::rows::statements! { { id: uuid } $($name = $($file)+ $(, lock $table)?;)+ }
    };
}

macro_rules! statements {
    ($columns:tt $($name:ident = $($file:literal)+ $(, lock $table:ident)?;)*) => {
        $(
            pub(crate) static $name: $crate::rows::Statement = $crate::rows::Statement {
                sqlite: concat!($crate::rows::sqlite!($columns), $($crate::rows::file!($file)),+),
                postgres: concat!(
                    $crate::rows::postgres!($columns),
                    $($crate::rows::file!($file),)+
                    $(" for update of ", stringify!($table))?
                ),
            };
        )*
    };
}

/// One statement whose rows come packed into one on SQLite, as JSON: there every row on its own is a hop between threads, and
/// every value of it a copy.
pub(crate) struct Packed {
    pub(crate) sqlite: &'static str,
    pub(crate) postgres: &'static str,
}

/// Declares a row that statements give, and that others take: `from { … } NAME = "file" …, lock table;` gives such rows for
/// those, `into NAME = "file" …;` takes them.
macro_rules! records {
    ($(#[$attribute:meta])* $visible:vis struct $record:ident $columns:tt $($statements:tt)*) => {
        $crate::rows::row! {
            $(#[$attribute])*
            #[derive(serde::Deserialize, sqlx::FromRow)]
            $visible struct $record [] [] $columns
        }
        $crate::rows::directed! { $columns $($statements)* }
    };
}

macro_rules! directed {
    ($columns:tt) => {};
    ($columns:tt from $input:tt $name:ident = $($file:literal)+ $(, lock $table:ident)?; $($rest:tt)*) => {
        pub(crate) static $name: $crate::rows::Packed = $crate::rows::Packed {
            sqlite: concat!(
                $crate::rows::sqlite!($input), "select json_group_array(json_array(", $crate::rows::packed!($columns),
                ")) from (\n", $($crate::rows::file!($file),)+ ")"
            ),
            postgres: concat!(
                $crate::rows::postgres!($input), $($crate::rows::file!($file),)+ $(" for update of ", stringify!($table))?
            ),
        };
        $crate::rows::directed! { $columns $($rest)* }
    };
    ($columns:tt into $name:ident = $($file:literal)+; $($rest:tt)*) => {
        $crate::rows::statements! { $columns $name = $($file)+; }
        $crate::rows::directed! { $columns $($rest)* }
    };
}

macro_rules! packed {
    ({ $first:ident: $($kind:ident)+ $(, $column:ident: $($kinds:ident)+)* $(,)? }) => {
        concat!(
            $crate::rows::packed_cell!($first $($kind)+), $(", ", $crate::rows::packed_cell!($column $($kinds)+),)* ""
        )
    };
}

macro_rules! packed_cell {
    ($column:ident opt $kind:ident) => { $crate::rows::packed_cell!($column $kind) };
    ($column:ident uuid) => { concat!("hex(", stringify!($column), ")") };
    ($column:ident key) => { concat!("hex(", stringify!($column), ")") };
    ($column:ident flag) => { concat!("json(iif(", stringify!($column), ", 'true', 'false'))") };
    ($column:ident $kind:ident) => { stringify!($column) };
}

/// A statement without rows: the shared texts as they are.
macro_rules! text {
    ($($file:literal)+) => {
        $crate::rows::Statement {
            sqlite: concat!($($crate::rows::file!($file)),+),
            postgres: concat!($($crate::rows::file!($file)),+),
        }
    };
}

macro_rules! file {
    ($file:literal) => {
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/sql/", $file, ".sql"))
    };
}

macro_rules! row {
    (
        $(#[$attribute:meta])*
        $visible:vis struct $row:ident $life:tt [$($generics:tt)*] { $($column:ident: $($kind:ident)+),+ $(,)? }
    ) => {
        $(#[$attribute])*
        #[derive(serde::Serialize)]
        $visible struct $row $($generics)* {
            $($visible $column: $crate::rows::rust!($life $($kind)+),)+
        }
    };
}

macro_rules! rust {
    ($life:tt opt $kind:ident) => { Option<$crate::rows::rust!($life $kind)> };
    ([$life:lifetime] text) => { &$life str };
    ($life:tt string) => { String };
    ($life:tt uuid) => { $crate::cell::Id };
    ($life:tt hash) => { $crate::cell::Hex<32> };
    ($life:tt key) => { $crate::cell::Hex<16> };
    ($life:tt int) => { i64 };
    ($life:tt flag) => { bool };
    ($life:tt moment) => { $crate::cell::Moment };
    ($life:tt bytes) => { $crate::input::Slice };
}

macro_rules! sqlite {
    ({ $first:ident: $($kind:ident)+ $(, $column:ident: $($kinds:ident)+)* $(,)? }) => {
        concat!(
            "with input as (select ", $crate::rows::sqlite_cell!($first $($kind)+),
            $(", ", $crate::rows::sqlite_cell!($column $($kinds)+),)*
            " from jsonb_each($1))\n"
        )
    };
}

macro_rules! sqlite_cell {
    ($column:ident opt $kind:ident) => { $crate::rows::sqlite_cell!($column $kind) };
    ($column:ident uuid) => { $crate::rows::sqlite_cell!($column hash) };
    ($column:ident key) => { $crate::rows::sqlite_cell!($column hash) };
    ($column:ident hash) => {
        concat!("unhex(value ->> '", stringify!($column), "') as ", stringify!($column))
    };
    ($column:ident bytes) => {
        concat!(
            "substr($2, value ->> '", stringify!($column), "' >> 32, value ->> '", stringify!($column),
            "' & 4294967295) as ", stringify!($column)
        )
    };
    ($column:ident $kind:ident) => {
        concat!("value ->> '", stringify!($column), "' as ", stringify!($column))
    };
}

macro_rules! postgres {
    ({ $first:ident: $($kind:ident)+ $(, $column:ident: $($kinds:ident)+)* $(,)? }) => {
        concat!(
            "with input as (select ", $crate::rows::postgres_cell!($first $($kind)+),
            $(", ", $crate::rows::postgres_cell!($column $($kinds)+),)*
            " from json_to_recordset($1::json) as x(",
            $crate::rows::postgres_type!($first $($kind)+),
            $(", ", $crate::rows::postgres_type!($column $($kinds)+),)*
            "))\n"
        )
    };
}

macro_rules! postgres_cell {
    ($column:ident opt $kind:ident) => { $crate::rows::postgres_cell!($column $kind) };
    ($column:ident key) => { $crate::rows::postgres_cell!($column hash) };
    ($column:ident hash) => {
        concat!("decode(", stringify!($column), ", 'hex') as ", stringify!($column))
    };
    // In two parts: an interval times a number goes through a double, which is exact below 2^53 only.
    ($column:ident moment) => {
        concat!(
            "timestamptz 'epoch' + (", stringify!($column), " / 1000000) * interval '1 second' + (", stringify!($column),
            " % 1000000) * interval '1 microsecond' as ", stringify!($column)
        )
    };
    ($column:ident bytes) => {
        concat!(
            "substr($2::bytea, (", stringify!($column), " >> 32)::int, (", stringify!($column),
            " & 4294967295)::int) as ", stringify!($column)
        )
    };
    ($column:ident $kind:ident) => {
        stringify!($column)
    };
}

macro_rules! postgres_type {
    ($column:ident opt $kind:ident) => { $crate::rows::postgres_type!($column $kind) };
    ($column:ident uuid) => { concat!(stringify!($column), " uuid") };
    ($column:ident int) => { concat!(stringify!($column), " bigint") };
    ($column:ident moment) => { concat!(stringify!($column), " bigint") };
    ($column:ident bytes) => { concat!(stringify!($column), " bigint") };
    ($column:ident flag) => { concat!(stringify!($column), " boolean") };
    ($column:ident $kind:ident) => { concat!(stringify!($column), " text") };
}

pub(crate) use {
    directed, file, ids, packed, packed_cell, postgres, postgres_cell, postgres_type, records, row, rows, rust, sqlite,
    sqlite_cell, statements, text,
};
