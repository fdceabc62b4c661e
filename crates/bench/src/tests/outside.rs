//! What scripts ask of the world outside is answered by whoever owns the office.

use pbx::{Answer, FetchError, FetchRequest, Fetched, Query, SqlValue};

use super::*;

/// One program that answers after two seconds, and a database with one row in it.
#[derive(Debug)]
struct Crm;

impl Outside for Crm {
    fn fetch(&mut self, request: &FetchRequest) -> Option<(Duration, Result<Fetched, FetchError>)> {
        let body = b"{\"name\":\"Anne\"}".to_vec();
        let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
        match request.url.as_str() {
            "https://crm.test/42" => Some((s(2), Ok(Fetched { status: 200, headers, body }))),
            "https://crm.test/silent" => None,
            _ => Some((Duration::ZERO, Err(FetchError::Refused))),
        }
    }

    fn query(&mut self, query: &Query) -> Result<Answer, String> {
        if query.statements[0].sql.contains("nowhere") {
            return Err("no such table: nowhere".to_owned());
        }
        let rows = vec![vec![SqlValue::Integer(7)]];
        Ok(Answer::Rows { columns: vec!["mark".to_owned()], rows })
    }
}

#[test]
fn programs_and_the_database_answer_in_their_time() {
    let mut office = office_with(
        r#"route("1", function(call)
             call:ringing()
             local answer = http.get("https://crm.test/42")
             log.info(answer:json().name .. " " .. db.query("SELECT mark\n FROM marks")[1].mark)
             local nothing, why = http.get("https://crm.test/silent", { timeout = 3 })
             log.info(why)
             nothing, why = http.get("https://crm.test/other")
             log.info(why)
             db.query("SELECT 1 FROM nowhere")
           end)"#,
        |setup| setup.config.http_allow = vec![pbx::Allowed::parse("https://crm.test").unwrap()],
    );
    office.set_outside(Box::new(Crm));
    office.call(Call::new("17", "1")).unwrap();
    office.run_for(s(10));
    let ladder = office.ladder();
    let told: Vec<&str> = ladder
        .lines()
        .filter_map(|line| line.split_once("│ ")?.1.split_once("│ "))
        .map(|(_, words)| words)
        .filter(|words| ["asks", "gets", "logs", "script"].iter().any(|w| words.starts_with(w)))
        .collect();
    assert_eq!(
        told,
        [
            "asks GET https://crm.test/42",
            "gets 200, 15 bytes",
            "asks SELECT mark FROM marks",
            "gets 1 row",
            "logs: Anne 7 (scripts/main.lua:4)",
            "asks GET https://crm.test/silent",
            "logs: timeout (scripts/main.lua:6)",
            "asks GET https://crm.test/other",
            "gets no connection",
            "logs: refused (scripts/main.lua:8)",
            "asks SELECT 1 FROM nowhere",
            "gets an error: no such table: nowhere",
            "script fails: scripts/main.lua:9: db.query: no such",
        ],
        "{ladder}"
    );
    assert!(ladder.contains("   5.000"), "{ladder}");
    assert_quiet(&mut office);
}

#[test]
fn nobody_is_outside_unless_somebody_is_put_there() {
    let mut office = office_with(
        r#"route("1", function(call)
             local answer, why = http.get("https://crm.test/42")
             log.info(why)
             call:reject(480)
           end)"#,
        |setup| setup.config.http_allow = vec![pbx::Allowed::parse("https://crm.test").unwrap()],
    );
    office.call(Call::new("17", "1")).unwrap();
    office.run_for(s(1));
    assert!(office.ladder().contains("logs: refused"), "{}", office.ladder());
    assert_quiet(&mut office);
}
