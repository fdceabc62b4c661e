//! `http`, `db` and `shared.lock`: what scripts may ask, and what they make of the answers.

use dialplan::{
    Answer, Changed, Claimed, Fetch, FetchFault, Fetched, Limits, LockId, LockOwner, Outcome,
    Query, Shared, SqlValue, SqlValues, Step,
};

use crate::ladder::{begin, check_body, generation, handler, load, resume, start};

/// A request with everything that goes on the wire.
pub(crate) fn show_fetch(fetch: &Fetch) -> String {
    let headers: String =
        fetch.headers.iter().map(|(name, value)| format!(" {name}={value}")).collect();
    let body = String::from_utf8_lossy(&fetch.body);
    let body = if body.is_empty() { String::new() } else { format!(" body {body}") };
    let Fetch { method, url, timeout, body_bytes_max, redirects_max, .. } = fetch;
    let bounds = match (timeout.as_secs_f64(), *body_bytes_max, *redirects_max) {
        (10.0, 262_144, 5) => String::new(),
        (seconds, bytes, redirects) => format!(" within {seconds} s {bytes} bytes {redirects}"),
    };
    format!("{method} {url}{headers}{body}{bounds}")
}

/// Statements with their values.
pub(crate) fn show_query(query: &Query) -> String {
    let statements = query.statements.iter().map(|statement| {
        let values: String = match &statement.values {
            SqlValues::InOrder(values) => {
                values.iter().map(|value| format!(" {value:?}")).collect()
            }
            SqlValues::Named(values) => {
                values.iter().map(|(name, value)| format!(" {name}={value:?}")).collect()
            }
        };
        format!("{}{values}", statement.sql)
    });
    let line = query.at.as_ref().map_or(0, |(_, line)| *line);
    let statements = statements.collect::<Vec<_>>().join("; ");
    format!("{:?} at {line}: {statements}", query.wants)
}

/// `fetched 200 BODY`, or `fetched WHY`.
pub(crate) fn fetched(status: &str, text: &str) -> Outcome {
    let Ok(status) = status.parse() else {
        let why = if status == "timeout" { "timeout" } else { "not allowed" };
        let advice = if why == "timeout" { String::new() } else { "put it there".into() };
        return Outcome::Fetched(Err(FetchFault { why, advice }));
    };
    let body = text.splitn(3, ' ').nth(2).unwrap_or_default().as_bytes().to_vec();
    let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let headers = vec![header("x-room", "12"), header("via", "a"), header("via", "b")];
    Outcome::Fetched(Ok(Fetched { status, headers, body }))
}

/// `rows a=1 b=x, a=2`.
pub(crate) fn rows(text: &str) -> Outcome {
    let row = |row: &str| -> Vec<(String, SqlValue)> {
        let fields = row.split_whitespace().filter_map(|field| field.split_once('='));
        let value = |value: &str| match value.parse() {
            Ok(number) => SqlValue::Integer(number),
            Err(_) if value == "null" => SqlValue::Null,
            Err(_) => SqlValue::Text(value.into()),
        };
        fields.map(|(name, text)| (name.to_owned(), value(text))).collect()
    };
    let rows: Vec<_> = text.split(',').map(row).filter(|row| !row.is_empty()).collect();
    let columns = rows.first().map(|row| row.iter().map(|(name, _)| name.clone()).collect());
    let values = rows.into_iter().map(|row| row.into_iter().map(|(_, value)| value).collect());
    Outcome::Queried(Answer::Rows { columns: columns.unwrap_or_default(), rows: values.collect() })
}

/// `changed ROWS ID ROWS ID ...`.
pub(crate) fn changed(words: &[&str]) -> Outcome {
    let changed = words
        .chunks(2)
        .map(|pair| Changed { rows: pair[0].parse().unwrap(), last_id: pair[1].parse().unwrap() });
    Outcome::Queried(Answer::Changed(changed.collect()))
}

#[test]
fn an_answer_has_status_headers_body_and_json() {
    check_body(
        "local r = http.get('https://crm.example.org/c?x=1', { query = { n = '+66 2', b = true } })
         log(r.status, r.ok, r.body, r.headers['X-Room'], r.headers.Via, r.headers.none)
         log(r:json().name)
         log(http.get('http://10.0.0.5:8080/', { timeout = 0.5, max_bytes = 10, redirects = 0 }))
         log(http.get('http://a/').ok, http.get('http://a/'):json())",
        "
        dial 1
        > GET https://crm.example.org/c?x=1&b=true&n=%2B66%202
        < fetched 200 {\"name\":\"Ann\"}
        > log info scripts/main.lua:3 200 true {\"name\":\"Ann\"} 12 a, b nil
        > log info scripts/main.lua:4 Ann
        > GET http://10.0.0.5:8080/ within 0.5 s 10 bytes 0
        < fetched not allowed
        > log info scripts/main.lua:5 nil not allowed put it there
        > GET http://a/
        < fetched 404 none
        > GET http://a/
        < fetched 200 {
        > log info scripts/main.lua:6 false nil EOF while parsing an object at line 1 column 1
        > returns
        ",
    );
}

#[test]
fn what_is_sent_is_a_body_a_form_or_json() {
    check_body(
        "http.post('http://a/', { body = 'x', headers = { ['X-Key'] = 'k', N = 7 } })
         http.post('http://a/', { json = { 1, 2 } })
         http.post('http://a/', { json = false, headers = { ['content-type'] = 'text/json' } })
         http.post('http://a/', { form = { ['a b'] = 'c&d', n = 1.5 } })
         http.request { url = 'http://a/', method = 'DELETE' }
         http.request { url = 'http://a/#part' }",
        "
        dial 1
        > POST http://a/ N=7 X-Key=k body x
        < fetched 200
        > POST http://a/ Content-Type=application/json body [1,2]
        < fetched 200
        > POST http://a/ content-type=text/json body false
        < fetched 200
        > POST http://a/ Content-Type=application/x-www-form-urlencoded body a%20b=c%26d&n=1.5
        < fetched 200
        > DELETE http://a/
        < fetched 200
        > GET http://a/
        < fetched 200
        > returns
        ",
    );
}

#[test]
fn a_request_that_is_none_is_told_at_its_line() {
    for (ask, problem) in [
        ("http.get()", "http.get: url is missing; expected a string"),
        ("http.get(7)", "http.get: url: expected a string, got a number"),
        ("http.get('crm.example.org')", "http.get: url must begin with https:// or http://"),
        ("http.get('file:///etc/passwd')", "http.get: url must begin with https:// or http://"),
        ("http.get('http:///x')", "http.get: url has no host"),
        (
            "http.get('http://me:secret@a/')",
            "http.get: url has a user in it; put that into the header Authorization",
        ),
        (
            "http.get('http://a/b c')",
            "http.get: url has a space in it, which must be escaped; values belong into the option query",
        ),
        (
            "http.get('http://a/\\r\\nX: y')",
            "http.get: url has '\\r' in it, which must be escaped; values belong into the option query",
        ),
        (
            "http.get('http://a/' .. ('x'):rep(5000))",
            "http.get: the address is longer than 4096 bytes",
        ),
        (
            "http.get('http://a/', { timout = 1 })",
            "http.get: no option \"timout\"; did you mean \"timeout\"?",
        ),
        (
            "http.get('http://a/', { timeout = 61 })",
            "http.get: timeout must be 0.1 to 60 seconds, not 61",
        ),
        ("http.get('http://a/', {}, 1)", "http.get: too many arguments"),
        (
            "http.post('http://a/', { body = {} })",
            "http.post: body: expected a string, got a table",
        ),
        (
            "http.post('http://a/', { body = 'x', json = 1 })",
            "http.post: only one of body, form and json can be sent",
        ),
        ("http.post('http://a/', { json = { x = print } })", "http.post: json: .x: a function"),
        (
            "http.post('http://a/', { form = { 1 } })",
            "http.post: form: names are strings, but one is a number",
        ),
        (
            "http.request { method = 'TRACE', url = 'http://a/' }",
            "http.request: method must be one of \"GET\", \"POST\", \"PUT\", \"PATCH\", \"DELETE\", \"HEAD\"",
        ),
        (
            "http.get('http://a/', { headers = { ['X-Key'] = 'secret\\r\\nHost: b' } })",
            "http.get: headers: X-Key has a line end or another control character",
        ),
        (
            "http.get('http://a/', { headers = { ['X\\r\\nY'] = '1' } })",
            "http.get: headers: a name has characters that cannot stand there",
        ),
        (
            "http.get('http://a/', { headers = { Host = 'b' } })",
            "http.get: headers: Host cannot be set by a script",
        ),
        ("http.fetch('http://a/')", "attempt to call a nil value (field 'fetch')"),
        ("http.get = 1", "http cannot be changed"),
    ] {
        check_body(ask, &format!("dial 1\n> fails scripts/main.lua:2: {problem}"));
    }
}

#[test]
fn rows_are_tables_by_the_names_of_their_columns() {
    check_body(
        "local rows = db.query('SELECT * FROM t WHERE a = ? OR b = ?', 1.5, nil)
         log(#rows, rows[1].name, rows[2].name, rows[1].no)
         db.query('SELECT :n AS n', { n = 'x', ok = true })
         local done = db.execute('DELETE FROM t')
         log(done.changes, done.last_id)
         local list = db.transaction { { 'INSERT INTO t VALUES (?, ?)', nil, json.null }, { 'DELETE FROM t' } }
         log(#list, list[2].changes)",
        "
        dial 1
        > Rows at 2: SELECT * FROM t WHERE a = ? OR b = ? Real(1.5) Null
        < rows name=Ann no=null, name=Bob no=1
        > log info scripts/main.lua:3 2 Ann Bob nil
        > Rows at 4: SELECT :n AS n n=Text(\"x\") ok=Integer(1)
        < rows
        > Changes at 5: DELETE FROM t
        < changed 3 7
        > log info scripts/main.lua:6 3 7
        > Transaction at 7: INSERT INTO t VALUES (?, ?) Null Null; DELETE FROM t
        < changed 1 8 2 8
        > log info scripts/main.lua:8 2 2
        > returns
        ",
    );
}

#[test]
fn what_the_database_refuses_is_an_error_at_its_line() {
    check_body(
        "log(pcall(db.query, 'SELECT'))
         return db.execute('SELECT x')",
        "
        dial 1
        > Rows at 2: SELECT
        < fault incomplete input
        > log info scripts/main.lua:2 false scripts/main.lua:2: db.query: incomplete input
        > Changes at 3: SELECT x
        < fault no such column: x
        > fails scripts/main.lua:3: db.execute: no such column: x
        ",
    );
}

#[test]
fn a_statement_that_is_none_is_told_at_its_line() {
    for (ask, problem) in [
        ("db.query()", "db.query: sql is missing; expected a statement"),
        ("db.query({})", "db.query: sql: expected a string, got a table"),
        (
            "db.query('SELECT ?', {}, 1)",
            "db.query: value 1 is a table; json.encode makes text of it",
        ),
        (
            "db.query('SELECT ?', { 1 })",
            "db.query: a table of values has names as keys; give values for ? one by one",
        ),
        ("db.query('SELECT ?', print)", "db.query: value 1 is a function"),
        (
            "db.query('SELECT ?', ('x'):rep(60000) .. ('x'):rep(60000))",
            "db.query: value 1 is longer than 65536 bytes",
        ),
        ("db.query('x\\0')", "db.query: sql has a null byte in it"),
        ("db.transaction {}", "db.transaction: expected 1 to 100 statements, got 0"),
        (
            "db.transaction('x')",
            "db.transaction: expected one list of statements, each a list: { { \"DELETE ...\", 7 } }",
        ),
        ("db.transaction { 'x' }", "db.transaction: statement 1 is a string, not a list"),
        (
            "db.transaction { { 'x' }, { 'y', n = 1 } }",
            "db.transaction: statement 2: is a list of its text and its values; values by name go into one table",
        ),
    ] {
        check_body(ask, &format!("dial 1\n> fails scripts/main.lua:2: {problem}"));
    }
}

#[test]
fn nothing_outside_is_asked_while_the_scripts_load() {
    for (ask, name) in [
        ("http.get('http://a/')", "http.get"),
        ("db.query('SELECT 1')", "db.query"),
        ("shared.lock('a')", "shared.lock"),
    ] {
        let errors = load(ask).unwrap_err();
        assert_eq!(
            errors[0].to_string(),
            format!(
                "scripts/main.lua:1: {name}: works for a call, so use it inside a route, not while the scripts load"
            )
        );
    }
    let waiting = handler("('a'):gsub('a', function() http.get('http://a/') end)");
    crate::ladder::check(
        &waiting,
        "dial 1
        > fails scripts/main.lua:2: http.get: cannot wait in a function called by string.gsub, table.sort, tostring or require",
    );
}

#[test]
fn what_comes_from_outside_counts_as_the_calls_own_memory() {
    let body = "local all = {} while true do all[#all + 1] = http.get('http://a/').body end";
    let generation = generation(&handler(body), Limits::default());
    let mut running = start(&generation, "1");
    let mut step = begin(&mut running);
    let mut answers = 0;
    while matches!(step, Step::Ask { .. }) {
        answers += 1;
        assert!(answers < 20, "a call may have 1 MiB, and these are 5");
        step =
            resume(&mut running, fetched("200", &format!("fetched 200 {}", "x".repeat(250_000))));
    }
    let Step::Failed(error) = step else { panic!("{step:?}") };
    assert!(error.to_string().starts_with("scripts/main.lua:2: needs more memory"), "{error}");
}

#[test]
fn a_lock_is_let_go_of_at_the_end_of_its_block_or_by_hand() {
    let shared = Shared::default();
    let loading = dialplan::Loading { shared: shared.clone(), ..dialplan::Loading::default() };
    let sources = crate::ladder::sources(&[(
        "main.lua",
        &handler(
            "do local lock <close> = shared.lock('a') end
             local lock = shared.lock('b', { timeout = 0 })
             lock:release() lock:release()
             local none <close> = shared.lock('c')
             log(none)",
        ),
    )]);
    let generation = dialplan::Generation::load_as(
        &sources,
        crate::ladder::names(),
        dialplan::Limits::default(),
        loading,
        &crate::ladder::now(),
    )
    .unwrap();
    assert_eq!(shared.claim("a", LockId(5), LockOwner(1)), Claimed::Now);
    assert_eq!(shared.claim("b", LockId(6), LockOwner(1)), Claimed::Now);
    crate::ladder::check_on(
        &generation,
        "
        dial 1
        > Lock { name: \"a\", timeout: 10s }
        < locked 5
        > Lock { name: \"b\", timeout: 0ns }
        < locked 6
        > Lock { name: \"c\", timeout: 10s }
        < locked
        > log info scripts/main.lua:6 false
        > returns
        ",
    );
    assert_eq!(shared.claim_count(), 0);
}

#[test]
fn schedules_and_webhooks_that_are_none_are_told_while_the_scripts_load() {
    for (line, problem) in [
        ("schedule('mon-fri', print)", "schedule: a time is missing; write \"mon-fri 08:30\""),
        (
            "schedule(60, print)",
            "schedule: expected times such as \"mon-fri 08:30\" or { every = 60 }, got a number",
        ),
        (
            "schedule({ evry = 60 }, print)",
            "schedule: the only option is every; times are a text: \"mon-fri 08:30\"",
        ),
        (
            "schedule({ every = 0.5 }, print)",
            "schedule: every must be 1 to 604800 seconds, not 0.5",
        ),
        ("schedule('08:30')", "schedule: expected a function to run then, got nil"),
        (
            "webhook('click', print)",
            "webhook: a path begins with a slash and has letters, digits and / - . _ ~",
        ),
        ("webhook('/click')", "webhook: expected a function to answer with, got nil"),
        (
            "webhook('/click', { pubic = true }, print)",
            "webhook: no option \"pubic\"; there are methods, public",
        ),
        (
            "webhook('/click', { methods = { 'TRACE' } }, print)",
            "webhook: methods: expected a list of GET, POST, PUT, PATCH, DELETE",
        ),
        (
            "webhook('/a', print) webhook('/a', { methods = { 'GET', 'POST' } }, print)",
            "webhook: \"/a\" has one at scripts/main.lua:1 already",
        ),
    ] {
        let errors = load(line).unwrap_err();
        assert_eq!(errors[0].to_string(), format!("scripts/main.lua:1: {problem}"), "{line}");
    }
    crate::ladder::check(
        "route('1', function(call) schedule('08:30', print) end)",
        "dial 1
        > fails scripts/main.lua:1: schedule: schedules can only be added while the scripts load",
    );
}
