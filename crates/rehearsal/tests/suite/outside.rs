//! What scripts ask of the world outside: other programs and their database.

use rehearsal::Verdict;

use crate::stage::{passes, run, told, with_script};

const SCRIPT: &str = r#"
route("crm", function(call)
  local answer, why = http.get("https://crm.example.org/contacts", {
    query = { number = call.from.user },
    timeout = 4,
  })
  local contact = answer and answer.ok and answer:json()
  if contact then log.info("it is", contact.name) else log.warn("nobody:", why or answer.status) end
  call:busy()
end)

route("post", function(call)
  local answer = http.post("https://crm.example.org/calls", { json = { from = call.from.user } })
  log.info("status", answer and answer.status, answer and answer.headers["X-Id"])
  call:busy()
end)

route("db", function(call)
  db.execute("CREATE TABLE IF NOT EXISTS calls (number TEXT, at INTEGER)")
  db.execute("INSERT INTO calls VALUES (?, ?)", call.from.user, time.now() // 1)
  local row = db.query("SELECT count(*) AS count FROM calls WHERE number = ?", call.from.user)[1]
  log.info("call number", row.count)
  call:busy()
end)
"#;

/// The exchange with these scripts.
fn stage() -> rehearsal::Stage {
    with_script(SCRIPT)
}

/// The same, which may reach every address.
fn open_stage() -> rehearsal::Stage {
    let mut stage = stage();
    stage.config.http_allow =
        ["https://*/", "http://*/"].map(|all| pbx::Allowed::parse(all).unwrap()).to_vec();
    stage
}

/// How a test with this body fails.
fn failure(body: &str) -> (String, String) {
    let text = format!("test('fails', function(t)\n{body}\nend)\n");
    let (reports, _) = run(open_stage(), &text);
    let Verdict::Failed(failure) = &reports[0].verdict else { panic!("it passes:\n{text}") };
    (failure.instead.clone(), told(&reports[0]))
}

#[test]
fn a_test_answers_for_other_programs() {
    passes(
        stage(),
        r#"
local contacts = "https://crm.example.org/contacts?number=100"

test("with a table", function(t)
  t:http("GET", contacts, { json = { name = "Ann" } })
  t:call { as = "100", to = "crm" }:is_refused(486)
  t:logged("it is Ann")
end)

test("with a function, which sees the request", function(t)
  t:http("post", "https://crm.example.org/*", { with = function(request)
    t:equal(json.decode(request.body).from, "100")
    t:equal(request.headers["content-type"], "application/json")
    return { status = 201, headers = { ["X-Id"] = "7" } }
  end })
  t:call { as = "100", to = "post" }:is_refused(486)
  t:logged("status 201 7")
  local requests = t:requests { method = "POST", url = "https://crm.example.org/*" }
  t:equal(#requests, 1)
  t:equal(requests[1].url, "https://crm.example.org/calls")
end)

test("with a fault, of which the last said counts", function(t)
  t:http("GET", "https://crm.example.org/*", { json = { name = "Ann" } })
  t:http("GET", contacts, { fails = "no such host" })
  t:call { as = "100", to = "crm" }:is_refused(486)
  t:logged("nobody: no such host")
end)

test("with a status", function(t)
  t:http("GET", contacts, { status = 404, body = "nobody" })
  t:call { as = "100", to = "crm" }:is_refused(486)
  t:logged("nobody: 404")
end)

test("late", function(t)
  t:http("GET", contacts, { json = { name = "Ann" }, delay = 3 })
  local caller = t:call { as = "100", to = "crm" }
  t:wait(2.9)
  t:never_logged("it is")
  caller:is_refused(486)
  t:logged("it is Ann")
end)

test("too late, and never", function(t)
  t:http("GET", contacts, { delay = 10 })
  t:call { as = "100", to = "crm" }:is_refused(486)
  t:logged("nobody: timeout")
  t:equal(t.now, 4)
  t:http("GET", contacts, { never = true })
  t:call { as = "100", to = "crm" }:is_refused(486)
  t:equal(t.now, 8)
end)
"#,
    );
}

#[test]
fn a_request_that_nothing_answers_fails_the_test_with_what_to_write() {
    let (instead, told) = failure("t:call { as = '100', to = 'crm' }:is_refused(486)");
    let expected = "one asks GET https://crm.example.org/contacts?number=100; write t:http(\"GET\", \
                    \"https://crm.example.org/contacts\", { status = 200 }) before the first phone or \
                    call";
    assert_eq!(instead, expected);
    let asked = "asks GET https://crm.example.org/contacts";
    assert!(told.contains(asked), "{told}");
}

#[test]
fn wrong_answers_are_told() {
    for (answer, problem) in [
        ("'x'", "t:http: expected a table of options, got \"x\""),
        ("{ stauts = 200 }", "t:http: no option \"stauts\"; did you mean \"status\"?"),
        ("{ status = 99 }", "t:http: status must be a whole number from 200 to 999, got 99"),
        ("{ fails = 'brokn' }", "t:http: fails cannot be \"brokn\"; did you mean \"broken\"?"),
        ("{ body = 'x', json = {} }", "t:http: body is a string; give it or json, not both"),
        ("{ json = print }", "t:http: json.encode: a function"),
    ] {
        let body = format!("t:http('GET', 'https://crm.example.org/*', {answer})");
        assert_eq!(failure(&body).0, problem, "{answer}");
    }
    let with = |function: &str| {
        failure(&format!(
            "t:http('GET', 'https://crm.example.org/*', {{ with = {function} }})\n\
             t:call {{ as = '100', to = 'crm' }}:is_refused(486)",
        ))
    };
    for (function, part) in [
        ("function() return { stauts = 1 } end", "no option \"stauts\"; did you mean \"status\"?"),
        ("function() return 'x' end", "gave back \"x\": expected a table such as"),
        (
            "function() t:wait(1) end",
            "a function that answers for the outside cannot let time go on",
        ),
        ("function() while true do end end", "used up its instructions"),
        ("function() nothing.at.all() end", "there is no global nothing"),
    ] {
        let (instead, told) = with(function);
        assert!(instead.contains(part), "{told}");
    }
    let address = failure("t:http('GET', 'crm.example.org', {})").0;
    assert!(address.starts_with("t:http: url: \"crm.example.org\" does not begin"), "{address}");
}

#[test]
fn scripts_have_a_database_that_tests_look_into() {
    passes(
        stage(),
        r#"
test("what a script wrote is there", function(t)
  t:call { as = "100", to = "db" }:is_refused(486)
  t:call { as = "100", to = "db" }:is_refused(486)
  t:logged("call number 2")
  t:equal(t:db("SELECT number, at > 1780000000 AS late FROM calls LIMIT 1"), { { number = "100", late = 1 } })
  t:db("DELETE FROM calls WHERE number = ?", { "100" })
  t:equal(t:db("SELECT * FROM calls"), {})
end)

test("each test begins with an empty one", function(t)
  t:equal(t:db("SELECT name FROM sqlite_master"), {})
  t:call { as = "100", to = "db" }:is_refused(486)
  t:logged("call number 1")
end)

test("it may fail", function(t)
  t:db_fails("disk I/O error")
  t:expects_error("disk I/O error")
  t:call { as = "100", to = "db" }:is_refused()
  t:db_fails()
  t:call { as = "100", to = "db" }:is_refused(486)
end)
"#,
    );
    let (instead, _) = failure("t:db('SELECT 1 FROM nowhere')");
    assert_eq!(instead, "t:db: no such table: nowhere");
    let (instead, _) = failure("t:db('SELECT ?', { print })");
    assert_eq!(instead, "t:db: values: function cannot be in a database");
}
