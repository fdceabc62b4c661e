use std::sync::mpsc;

use pbx::records::Ticket;

use super::*;

fn statement(sql: &str, values: Vec<SqlValue>) -> Statement {
    Statement { sql: sql.into(), values: SqlValues::InOrder(values) }
}

fn ask(wants: Wants, statements: Vec<Statement>) -> Query {
    Query { wants, statements, at: None }
}

fn rows(sql: &str, values: Vec<SqlValue>) -> Query {
    ask(Wants::Rows, vec![statement(sql, values)])
}

fn change(sql: &str) -> Query {
    ask(Wants::Changes, vec![statement(sql, Vec::new())])
}

/// A database with a table of three.
fn database() -> ScriptDatabase {
    let mut database = ScriptDatabase::in_memory().unwrap();
    database.run(&change("CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT UNIQUE)")).unwrap();
    let insert = database.run(&change("INSERT INTO t (b) VALUES ('x'), ('y'), ('z')"));
    assert_eq!(insert, Ok(Answer::Changed(vec![Changed { rows: 3, last_id: 3 }])));
    database
}

#[track_caller]
fn check_refused(query: &Query, why: &str) {
    let told = database().run(query).unwrap_err();
    assert!(told.contains(why), "{query:?}: {told}");
}

#[test]
fn values_go_in_and_come_out_as_they_are() {
    let mut database = database();
    let values = vec![
        SqlValue::Null,
        SqlValue::Integer(i64::MIN),
        SqlValue::Real(0.5),
        SqlValue::Text("'; DROP TABLE t; --".into()),
        SqlValue::Blob(vec![0xFF, 0]),
    ];
    let answer = database.run(&rows("SELECT ? AS a, ?, ?, ?, ?", values.clone())).unwrap();
    let Answer::Rows { columns, rows: list } = answer else { panic!("{answer:?}") };
    assert_eq!((columns[0].as_str(), list), ("a", vec![values]));
    let left = database.run(&rows("SELECT count(*) FROM t", Vec::new()));
    assert!(matches!(left, Ok(Answer::Rows { rows, .. }) if rows == [[SqlValue::Integer(3)]]));
}

#[test]
fn values_by_name_are_null_where_they_are_missing() {
    let named = |sql: &str, names: &[&str]| {
        let values = names.iter().map(|name| ((*name).to_owned(), SqlValue::Integer(1)));
        let values = SqlValues::Named(values.collect());
        ask(Wants::Rows, vec![Statement { sql: sql.into(), values }])
    };
    let answer = database().run(&named("SELECT :a, :b", &["a"])).unwrap();
    let Answer::Rows { rows, .. } = answer else { panic!("{answer:?}") };
    assert_eq!(rows, [[SqlValue::Integer(1), SqlValue::Null]]);
    check_refused(&named("SELECT :a", &["a", "b"]), "the statement has no :b");
    check_refused(&named("SELECT ?", &["a"]), "the statement has ?");
}

#[test]
fn a_transaction_takes_place_as_a_whole_or_not_at_all() {
    let mut database = database();
    let done = database.run(&ask(
        Wants::Transaction,
        vec![
            statement("DELETE FROM t WHERE a = ?", vec![SqlValue::Integer(1)]),
            statement("INSERT INTO t (b) VALUES (?)", vec![SqlValue::Text("w".into())]),
        ],
    ));
    let changed = |rows, last_id| Changed { rows, last_id };
    assert_eq!(done, Ok(Answer::Changed(vec![changed(1, 3), changed(1, 4)])));
    let failed = database.run(&ask(
        Wants::Transaction,
        vec![
            statement("DELETE FROM t", Vec::new()),
            statement("INSERT INTO t (b) VALUES ('a'), ('a')", Vec::new()),
        ],
    ));
    assert_eq!(failed, Err("statement 2: UNIQUE constraint failed: t.b".into()));
    let left = database.run(&rows("SELECT count(*) FROM t", Vec::new()));
    assert!(matches!(left, Ok(Answer::Rows { rows, .. }) if rows == [[SqlValue::Integer(3)]]));
}

#[test]
fn what_leads_out_of_the_database_is_refused() {
    for sql in [
        "ATTACH DATABASE '/tmp/other.db' AS other",
        "DETACH DATABASE main",
        "VACUUM INTO '/tmp/copy.db'",
        "PRAGMA journal_mode = DELETE",
        "PRAGMA table_info(t)",
        "BEGIN",
        "COMMIT",
        "SAVEPOINT a",
        "CREATE VIRTUAL TABLE v USING dbstat",
    ] {
        check_refused(&change(sql), "not for scripts");
    }
    check_refused(&rows("SELECT * FROM pragma_database_list", Vec::new()), "not for scripts");
    check_refused(&rows("SELECT load_extension('x')", Vec::new()), "");
    for (sql, values) in [
        ("SELECT fts3_tokenizer(?)", vec![SqlValue::Text("simple".into())]),
        (
            "SELECT FTS3_Tokenizer(?, ?)",
            vec![SqlValue::Text("x".into()), SqlValue::Blob(vec![1; 8])],
        ),
    ] {
        check_refused(&rows(sql, values), "not authorized to use function");
    }
    check_refused(&rows("SELECT readfile('/etc/passwd')", Vec::new()), "no such function");
    assert!(database().run(&change("CREATE VIRTUAL TABLE v USING fts5(text)")).is_ok());
}

#[test]
fn temporary_tables_are_bounded() {
    let mut database = database();
    database.run(&change("CREATE TEMP TABLE big (x)")).unwrap();
    let fill = "INSERT INTO big SELECT zeroblob(200000) FROM (WITH RECURSIVE n(i) AS \
                (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 400) SELECT i FROM n)";
    let told = database.run(&change(fill)).unwrap_err();
    assert!(told.contains("larger than"), "{told}");
    assert!(database.run(&change("INSERT INTO t (b) VALUES ('w')")).is_ok());
}

#[test]
fn what_gives_rows_changes_nothing_where_none_are_wanted() {
    let mut database = database();
    let insert = "INSERT INTO t (b) VALUES ('w') RETURNING a";
    let told = database.run(&change(insert)).unwrap_err();
    assert!(told.contains("gives rows; use db.query"), "{told}");
    let count = |database: &mut ScriptDatabase| match database
        .run(&rows("SELECT count(*) FROM t", Vec::new()))
    {
        Ok(Answer::Rows { rows, .. }) => rows,
        other => panic!("{other:?}"),
    };
    assert_eq!(count(&mut database), [[SqlValue::Integer(3)]]);
    assert!(database.run(&rows(insert, Vec::new())).is_ok());
    assert_eq!(count(&mut database), [[SqlValue::Integer(4)]]);
}

#[test]
fn mistakes_are_told_in_sqlites_words() {
    check_refused(&rows("SELECT x FROM t", Vec::new()), "no such column: x");
    check_refused(&rows("SELECT 1; SELECT 2", Vec::new()), "more than one statement");
    check_refused(&rows("SELECT ?", Vec::new()), "1 value is needed, 0 were given");
    check_refused(&change("SELECT 1"), "gives rows; use db.query");
    check_refused(&rows(" -- nothing", Vec::new()), "there is no statement in it");
    check_refused(&change(""), "there is no statement in it");
    check_refused(&change("INSERT INTO t VALUES (1, 'x')"), "UNIQUE constraint failed: t.a");
}

#[test]
fn what_a_query_gives_is_bounded() {
    let count = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) ";
    let numbers = |most| rows(&format!("{count} SELECT i FROM n"), vec![SqlValue::Integer(most)]);
    let answer = database().run(&numbers(1_000)).unwrap();
    assert!(matches!(&answer, Answer::Rows { rows, .. } if rows.len() == 1_000));
    check_refused(&numbers(1_001), "more than 1000 rows; add LIMIT");
    let long =
        rows(&format!("{count} SELECT hex(zeroblob(5000)) FROM n"), vec![SqlValue::Integer(900)]);
    check_refused(&long, "more than 256 KiB");
    check_refused(&rows("SELECT zeroblob(1000000)", Vec::new()), "too big");
}

#[test]
fn a_query_without_end_is_stopped_and_the_next_one_runs() {
    let mut database = database();
    let endless =
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n";
    database.watch.begin(Duration::ZERO);
    let told = database.rows(&statement(endless, Vec::new())).unwrap_err();
    assert_eq!(told, "took longer than 2 seconds");
    assert!(database.run(&rows("SELECT 1", Vec::new())).is_ok());
}

#[test]
fn the_file_is_made_at_the_first_query_and_kept() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("scripts.db");
    let asked = |queries: &Queries, inbox: &mpsc::Receiver<_>, query| {
        queries.ask(Ticket(7), Box::new(query)).unwrap();
        let (ticket, answer): (Ticket, Result<Answer, String>) = inbox.recv().unwrap();
        assert_eq!(ticket, Ticket(7));
        answer
    };
    let start = || {
        let (outbox, inbox) = mpsc::channel();
        let reply = move |ticket, answer, _took| outbox.send((ticket, answer)).unwrap();
        (Queries::start(path.clone(), reply).unwrap(), inbox)
    };
    let (queries, inbox) = start();
    assert!(!path.exists());
    asked(&queries, &inbox, change("CREATE TABLE t (a)")).unwrap();
    asked(&queries, &inbox, change("INSERT INTO t VALUES (1)")).unwrap();
    queries.close();
    let (queries, inbox) = start();
    let answer = asked(&queries, &inbox, rows("SELECT a FROM t", Vec::new()));
    assert!(matches!(answer, Ok(Answer::Rows { rows, .. }) if rows == [[SqlValue::Integer(1)]]));
    queries.close();
}

#[test]
fn nobody_else_can_read_the_file() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let mut database = ScriptDatabase::at(&folder.path().join("scripts.db")).unwrap();
    database.run(&change("CREATE TABLE t (a)")).unwrap();
    let modes = std::fs::read_dir(folder.path()).unwrap().map(|entry| {
        let entry = entry.unwrap();
        (entry.file_name(), entry.metadata().unwrap().permissions().mode() & 0o777)
    });
    let modes: Vec<_> = modes.collect();
    assert!(modes.len() >= 2 && modes.iter().all(|(_, mode)| *mode == 0o600), "{modes:?}");
}

#[test]
fn another_programs_lock_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("scripts.db");
    let mut database = ScriptDatabase::at(&path).unwrap();
    database.run(&change("CREATE TABLE t (a)")).unwrap();
    database.connection.busy_timeout(Duration::ZERO).unwrap();
    let other = Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let told = database.run(&change("INSERT INTO t VALUES (1)")).unwrap_err();
    assert_eq!(told, "the database is locked by another program");
    other.execute_batch("COMMIT").unwrap();
    assert!(database.run(&change("INSERT INTO t VALUES (1)")).is_ok());
}

#[test]
fn a_file_that_cannot_be_opened_is_told_each_time() {
    let folder = tempfile::tempdir().unwrap();
    let (outbox, inbox) = mpsc::channel();
    let reply = move |_ticket, answer, _took| outbox.send(answer).unwrap();
    let queries = Queries::start(folder.path().join("missing/scripts.db"), reply).unwrap();
    for _ in 0..2 {
        queries.ask(Ticket(1), Box::new(rows("SELECT 1", Vec::new()))).unwrap();
        let told: Result<Answer, String> = inbox.recv().unwrap();
        assert!(told.unwrap_err().contains("scripts.db cannot be opened"));
    }
    queries.close();
}

#[test]
fn too_many_queries_in_line_are_refused() {
    let (go, wait) = mpsc::sync_channel::<()>(0);
    let reply = move |_ticket, _answer, _took| wait.recv().unwrap_or_default();
    let queries = Queries::start("/missing/scripts.db".into(), reply).unwrap();
    let told = (0..QUERIES_MAX + 2)
        .find_map(|_| queries.ask(Ticket(1), Box::new(rows("SELECT 1", Vec::new()))).err());
    assert!(told.unwrap().contains("queries wait already"));
    drop(go);
    queries.close();
}
