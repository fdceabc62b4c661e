//! What other programs and the database answer.

use std::time::Duration;

use dialplan::{
    Answer, Changed, Fetch, FetchFault, Fetched, LockId, Outcome, Query, SqlValue, Wants,
};
use pbx::refused_fetch;

use super::{Effect, Way, World};
use crate::given::{Fact, Rows, Web};
use crate::tree::Did;

impl World<'_> {
    /// A request over HTTP: an answer, one that says that there is nothing, or none at all.
    pub(super) fn fetch(&self, fetch: &Fetch, mut did: Did) -> Effect {
        // What stands behind the question mark may be long, or nobody's business.
        let shown = fetch.url.split('?').next().unwrap_or_default();
        did.words = format!("asks {} {shown}", fetch.method);
        if let Some(fault) = refused_fetch(&fetch.url, &self.office.config.http_allow) {
            did.more = format!("not allowed: {}", fault.advice);
            return Effect::AtOnce(Some(did), Outcome::Fetched(Err(fault)));
        }
        let given = self.fact(0, |fact| {
            let Fact::Http(url, web) = fact else { return None };
            let same = match url.strip_suffix('*') {
                Some(beginning) => fetch.url.starts_with(beginning),
                None => fetch.url == *url,
            };
            same.then(|| web.clone())
        });
        let ways = match given {
            Some(web) => vec![web_way(&web)],
            None => vec![
                web_way(&Web::Answer(200, "{}".to_owned())),
                web_way(&Web::Answer(404, String::new())),
                web_way(&Web::Failed),
            ],
        };
        Effect::Waits(did, ways)
    }

    /// A query of the scripts' own database: something is found, or nothing.
    pub(super) fn query(&self, query: &Query, mut did: Did) -> Effect {
        let statement = query.statements.first().map(|first| first.sql.as_str());
        let sql: Vec<&str> = statement.unwrap_or_default().split_whitespace().collect();
        let sql = sql.join(" ");
        did.words = format!("asks the database: {}", shortened(&sql));
        let given =
            self.fact(0, |fact| if let Fact::Database(rows) = fact { Some(*rows) } else { None });
        let way = |rows: Rows| {
            let outcome = match rows {
                Rows::Failed => Outcome::Fault("the database does not answer".to_owned()),
                Rows::Some | Rows::None => Outcome::Queried(answer(query, &sql, rows)),
            };
            let label = match rows {
                Rows::Some => "something is found",
                Rows::None => "nothing is found",
                Rows::Failed => "the database fails",
            };
            Way::new(label, outcome, Duration::ZERO)
        };
        let ways = match given {
            Some(rows) => vec![way(rows)],
            None if query.wants == Wants::Rows => vec![way(Rows::Some), way(Rows::None)],
            None => vec![way(Rows::Some)],
        };
        Effect::Waits(did, ways)
    }
}

/// A lock that others may hold.
pub(super) fn lock(did: Did, timeout: Duration) -> Effect {
    let free = Outcome::Locked(Some(LockId(0)));
    let held = Outcome::Locked(None);
    let ways = vec![
        Way::new("it is free", free, Duration::ZERO),
        Way::new("it is held by another", held, timeout).at(true),
    ];
    Effect::Waits(did, ways)
}

fn web_way(web: &Web) -> Way {
    match web {
        Web::Answer(status, body) => {
            let body = body.as_bytes().to_vec();
            let fetched = Fetched { status: *status, headers: Vec::new(), body };
            let outcome = Outcome::Fetched(Ok(fetched));
            Way::new(format!("it answers {status}"), outcome, ANSWERS_AFTER)
        }
        Web::Failed => {
            let fault = FetchFault { why: "timeout", advice: String::new() };
            Way::new("no answer", Outcome::Fetched(Err(fault)), ANSWERS_AFTER)
        }
    }
}

fn answer(query: &Query, sql: &str, rows: Rows) -> Answer {
    let found = rows == Rows::Some;
    match query.wants {
        Wants::Rows if found => {
            let columns = columns(sql);
            // What stands there is not known; a 1 is a number, and true.
            let row = columns.iter().map(|_| SqlValue::Integer(1)).collect();
            Answer::Rows { columns, rows: vec![row] }
        }
        Wants::Rows => Answer::Rows { columns: columns(sql), rows: Vec::new() },
        Wants::Changes | Wants::Transaction => {
            let changed = Changed { rows: u64::from(found), last_id: 1 };
            Answer::Changed(query.statements.iter().map(|_| changed).collect())
        }
    }
}

/// The names that a SELECT gives its columns, as far as a simple one tells.
fn columns(sql: &str) -> Vec<String> {
    let lower = sql.to_ascii_lowercase();
    let Some(start) = lower.strip_prefix("select ").map(|_| "select ".len()) else {
        return Vec::new();
    };
    let end = lower.find(" from ").unwrap_or(sql.len());
    let listed = sql.get(start..end).unwrap_or_default();
    listed
        .split(',')
        .filter_map(|column| {
            let name = column.trim().rsplit([' ', '.']).next()?.trim_matches(['"', '`']);
            let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
            (!name.is_empty() && name.chars().all(plain)).then(|| name.to_owned())
        })
        .collect()
}

/// As much of a statement as is needed to know it again.
fn shortened(sql: &str) -> String {
    match sql.char_indices().nth(SQL_MAX) {
        Some((at, _)) => format!("{} …", sql.get(..at).unwrap_or_default().trim_end()),
        None => sql.to_owned(),
    }
}

/// How long another program thinks.
const ANSWERS_AFTER: Duration = Duration::from_secs(1);
/// Characters of a statement that are shown.
const SQL_MAX: usize = 48;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_have_the_names_that_a_select_gives_them() {
        for (sql, expected) in [
            ("SELECT name, open FROM door WHERE id = ?", &["name", "open"][..]),
            ("select count(*) as n, d.name from door d", &["n", "name"]),
            ("SELECT * FROM door", &[]),
            ("SELECT 1", &["1"]),
            ("DELETE FROM door", &[]),
        ] {
            assert_eq!(columns(sql), expected, "{sql}");
        }
    }
}
