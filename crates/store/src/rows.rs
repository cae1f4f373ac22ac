//! One declaration of a batch row: its columns, and the statements that take it.
//!
//! A statement is a shared text behind a prefix that unpacks the rows into a common table expression named `input`: on
//! SQLite from one JSON of arrays and one blob of bodies, on Postgres from an array a column. Only the prefix differs, and it
//! is made here from the list of columns, so that nobody types a column twice.
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
/// other behind the row's prefix, and on Postgres locks the rows it selects from that table; with `take` it passes over those
/// that another holds.
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
    ($columns:tt $($name:ident = $($file:literal)+ $(, lock $table:ident)? $(, take $taken:ident)?;)*) => {
        $(
            pub(crate) static $name: $crate::rows::Statement = $crate::rows::Statement {
                sqlite: concat!($crate::rows::sqlite!($columns), $($crate::rows::file!($file)),+),
                postgres: concat!(
                    $crate::rows::postgres!($columns),
                    $($crate::rows::file!($file),)+
                    $(" for update of ", stringify!($table),)?
                    $(" for update of ", stringify!($taken), " skip locked")?
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

/// Declares a row that statements give: `from { … } NAME = "file" …, lock table;` gives such rows for those.
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
}

macro_rules! packed {
    ({ $first:ident: $($kind:ident)+ $(, $column:ident: $($kinds:ident)+)* $(,)? }) => {
        concat!(
            $crate::rows::packed_cell!($first $($kind)+), $(", ", $crate::rows::packed_cell!($column $($kinds)+),)* ""
        )
    };
}

macro_rules! packed_cell {
    ($column:ident opt uuid) => {
        concat!("iif(", stringify!($column), " is null, null, hex(", stringify!($column), "))")
    };
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
        $visible struct $row $($generics)* {
            $($visible $column: $crate::rows::rust!($life $($kind)+),)+
        }

        impl $($generics)* serde::Serialize for $row $($generics)* {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                use serde::ser::SerializeTuple;
                let mut tuple = serializer.serialize_tuple([$(stringify!($column)),+].len())?;
                $(tuple.serialize_element(&self.$column)?;)+
                tuple.end()
            }
        }

        impl $($generics)* $crate::input::Row for $row $($generics)* {
            fn arguments(rows: &[Self]) -> Result<sqlx::postgres::PgArguments, sqlx::error::BoxDynError> {
                use sqlx::Arguments;
                let mut arguments = sqlx::postgres::PgArguments::default();
                $(arguments.add(rows.iter().map(|row| $crate::input::Column::bound(&row.$column)).collect::<Vec<_>>())?;)+
                Ok(arguments)
            }
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
    ([$life:lifetime] bytes) => { $crate::input::Slice<$life> };
}

macro_rules! sqlite {
    ({ $($column:ident: $($kind:ident)+),+ $(,)? }) => {
        concat!(
            "with input as (select ",
            $crate::rows::sqlite_cells!(
                [0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32 33 34 35 36 37 38 39]
                $($column [$($kind)+])+
            ),
            " from jsonb_each($1))\n"
        )
    };
}

macro_rules! sqlite_cells {
    ([$place:literal $($places:literal)*] $column:ident [$($kind:ident)+]) => {
        $crate::rows::sqlite_cell!($place $column $($kind)+)
    };
    ([$place:literal $($places:literal)*] $column:ident [$($kind:ident)+] $($rest:tt)+) => {
        concat!(
            $crate::rows::sqlite_cell!($place $column $($kind)+), ", ",
            $crate::rows::sqlite_cells!([$($places)*] $($rest)+)
        )
    };
}

macro_rules! sqlite_cell {
    ($place:literal $column:ident opt $kind:ident) => { $crate::rows::sqlite_cell!($place $column $kind) };
    ($place:literal $column:ident uuid) => { $crate::rows::sqlite_cell!($place $column hash) };
    ($place:literal $column:ident key) => { $crate::rows::sqlite_cell!($place $column hash) };
    ($place:literal $column:ident hash) => { concat!("unhex(value ->> ", $place, ") as ", stringify!($column)) };
    ($place:literal $column:ident bytes) => {
        concat!(
            "substr($2, value ->> ", $place, " >> 32, value ->> ", $place, " & 4294967295) as ", stringify!($column)
        )
    };
    ($place:literal $column:ident $kind:ident) => { concat!("value ->> ", $place, " as ", stringify!($column)) };
}

macro_rules! postgres {
    ({ $first:ident: $($kind:ident)+ $(, $column:ident: $($kinds:ident)+)* $(,)? }) => {
        concat!(
            "with input as (select * from unnest(",
            $crate::rows::postgres_arrays!(
                [1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32 33 34 35 36 37 38 39 40]
                [$($kind)+] $([$($kinds)+])*
            ),
            ") as x(", stringify!($first), $(", ", stringify!($column),)* "))\n"
        )
    };
}

macro_rules! postgres_arrays {
    ([$place:literal $($places:literal)*] [$($kind:ident)+]) => {
        concat!("$", $place, "::", $crate::rows::postgres_type!($($kind)+), "[]")
    };
    ([$place:literal $($places:literal)*] [$($kind:ident)+] $($rest:tt)+) => {
        concat!(
            "$", $place, "::", $crate::rows::postgres_type!($($kind)+), "[], ",
            $crate::rows::postgres_arrays!([$($places)*] $($rest)+)
        )
    };
}

macro_rules! postgres_type {
    (opt $kind:ident) => {
        $crate::rows::postgres_type!($kind)
    };
    (uuid) => {
        "uuid"
    };
    (hash) => {
        "bytea"
    };
    (key) => {
        "bytea"
    };
    (bytes) => {
        "bytea"
    };
    (text) => {
        "text"
    };
    (string) => {
        "text"
    };
    (int) => {
        "bigint"
    };
    (flag) => {
        "boolean"
    };
    (moment) => {
        "timestamptz"
    };
}

pub(crate) use {
    directed, file, ids, packed, packed_cell, postgres, postgres_arrays, postgres_type, records, row, rows, rust,
    sqlite, sqlite_cell, sqlite_cells, statements, text,
};
