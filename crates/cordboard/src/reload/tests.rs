use std::fs;

use pbx::Input;
use tempfile::TempDir;

use super::*;
use crate::config::Settings;
use crate::prompts::Found;

const RIGHT: &str = "route('5', function(call) call:busy() end)";

/// A reloader over a folder of its own, and the switch that it speaks to, played by the test.
struct Office {
    folder: TempDir,
    wishes: mpsc::Sender<Wish>,
    commands: mpsc::Receiver<Input>,
    questions: Questions,
    failure: watch::Receiver<Option<Arc<Outcome>>>,
    token: watch::Receiver<Token>,
    reloader: Option<(Reloader, mpsc::Receiver<Wish>)>,
    generation: u64,
}

impl Office {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cordboard.toml");
        fs::write(&path, "[account.101]\nsecret = \"x\"\n").unwrap();
        fs::create_dir_all(folder.path().join("scripts")).unwrap();
        fs::create_dir_all(folder.path().join("prompts")).unwrap();
        fs::write(folder.path().join("scripts/main.lua"), RIGHT).unwrap();
        let settings = Settings::load(&path).unwrap();
        let found = Found::in_folder(&settings.prompts).unwrap();
        let current = Current {
            sources: crate::scripts::read(&settings.scripts).unwrap(),
            shelf: found.shelve(&found.prepare().0),
            config: fingerprint(&fs::read(&path).unwrap()),
        };
        let (inbox, commands) = mpsc::channel(16);
        let questions = Questions::new(inbox);
        let (wishes, to_meet) = mpsc::channel(WISHES_MAX);
        let (last_failure, failure) = watch::channel(None);
        let (to_token, token) = watch::channel(token("the first token"));
        let reloader = Reloader {
            config_path: path,
            data: None,
            started_with: settings,
            listeners: Vec::new(),
            current,
            questions: questions.clone(),
            last_failure,
            token: Some(to_token),
            watched: None,
        };
        let reloader = Some((reloader, to_meet));
        Self { folder, wishes, commands, questions, failure, token, reloader, generation: 1 }
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.folder.path().join(name), text).unwrap();
    }

    /// Runs `play` beside the reloader.
    fn run<P: Future<Output = ()>>(mut self, play: impl FnOnce(Self) -> P) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let local = tokio::task::LocalSet::new();
        let (reloader, to_meet) = self.reloader.take().unwrap();
        local.spawn_local(reloader.run(to_meet));
        local.block_on(&runtime, play(self));
    }

    async fn wish(&self, cause: Cause, aim: Aim) -> oneshot::Receiver<Arc<Outcome>> {
        let (reply, outcome) = oneshot::channel();
        self.wishes.send(Wish { cause, aim, reply: Some(reply) }).await.unwrap();
        outcome
    }

    /// The next command that reaches the switch, a reload.
    async fn command(&mut self) -> Reload {
        match self.commands.recv().await.unwrap() {
            Input::Command(Command::Reload(reload)) => *reload,
            other => panic!("{other:?}"),
        }
    }

    /// The switch takes it into use.
    fn take_into_use(&mut self, reload: &Reload) {
        self.generation += 1;
        let (id, generation) = (reload.id, self.generation);
        self.questions.answered(Notice::Reloaded { id, generation, routes: 1 });
    }
}

fn token(text: &str) -> Token {
    let address = "127.0.0.1:5098".parse().unwrap();
    Token::of(&crate::config::Heard { address, token: text.to_owned() })
}

#[test]
fn another_token_counts_from_the_reload_and_not_before() {
    Office::new().run(async |mut office| {
        let text = "[http]\nlisten = \"127.0.0.1:5098\"\ntoken = \"another token, longer\"\n";
        office.write("cordboard.toml", text);
        let checked = office.wish(Cause::Command, Aim::Check).await.await.unwrap();
        assert_eq!(checked.restart, ["http.listen"], "that alone needs a restart");
        assert!(*office.token.borrow() == token("the first token"));
        let outcome = office.wish(Cause::Command, Aim::Use).await;
        let reload = office.command().await;
        assert!(*office.token.borrow() == token("the first token"), "not before the scripts");
        office.take_into_use(&reload);
        let outcome = outcome.await.unwrap();
        assert!(!format!("{outcome:?}").contains("another token"), "{outcome:?}");
        assert!(*office.token.borrow() == token("another token, longer"));
        office.write("cordboard.toml", "[http]\nlisten = \"127.0.0.1:5098\"\ntoken = \"short\"\n");
        let outcome = office.wish(Cause::Command, Aim::Use).await.await.unwrap();
        assert_eq!(outcome.verdict, Verdict::Failed);
        assert!(*office.token.borrow() == token("another token, longer"));
    });
}

#[test]
fn wishes_that_come_while_one_is_met_are_met_together_and_see_what_was_saved_since() {
    Office::new().run(async |mut office| {
        let first = office.wish(Cause::Command, Aim::Use).await;
        let under_way = office.command().await;
        office.write("scripts/main.lua", "route('6', function(call) call:busy() end)");
        let mut later = Vec::new();
        for cause in [Cause::Command, Cause::Signal, Cause::FileChange] {
            later.push(office.wish(cause, Aim::Use).await);
        }
        assert!(under_way.sources.files["main.lua"].contains("'5'"));
        office.take_into_use(&under_way);
        assert_eq!(first.await.unwrap().verdict, Verdict::InUse { generation: 2, routes: 1 });
        let next = office.command().await;
        assert!(next.sources.files["main.lua"].contains("'6'"));
        office.take_into_use(&next);
        for outcome in later {
            let verdict = outcome.await.unwrap().verdict;
            assert_eq!(verdict, Verdict::InUse { generation: 3, routes: 1 });
        }
        assert!(office.commands.try_recv().is_err(), "three wishes, one reload");
    });
}

#[test]
fn what_is_only_to_be_checked_never_reaches_the_switch() {
    Office::new().run(async |mut office| {
        let outcome = office.wish(Cause::Command, Aim::Check).await.await.unwrap();
        assert_eq!(outcome.verdict, Verdict::Right { routes: 1 });
        office.write("scripts/main.lua", "route('5', function(call) call:bsuy() end)");
        let outcome = office.wish(Cause::Command, Aim::Check).await.await.unwrap();
        assert_eq!(outcome.verdict, Verdict::Failed);
        assert!(office.failure.borrow().is_none(), "nobody wanted it to be used");
        assert!(office.commands.try_recv().is_err());
    });
}

#[test]
fn a_failure_is_remembered_until_a_reload_succeeds() {
    Office::new().run(async |mut office| {
        office.write("scripts/main.lua", "route('5', function(call)\n call:bsuy() end)");
        office.write("prompts/broken.wav", "RIFF?");
        let outcome = office.wish(Cause::Signal, Aim::Use).await.await.unwrap();
        assert_eq!(outcome.verdict, Verdict::Failed);
        let told: Vec<String> = outcome.mistakes.iter().map(in_one_line).collect();
        assert!(told[0].starts_with("prompts/broken.wav: cannot be played"), "{told:?}");
        assert!(told[1].starts_with("scripts/main.lua:2: there is no verb call:bsuy"), "{told:?}");
        assert!(office.failure.borrow().is_some());
        office.write("scripts/main.lua", RIGHT);
        fs::remove_file(office.folder.path().join("prompts/broken.wav")).unwrap();
        let outcome = office.wish(Cause::Signal, Aim::Use).await;
        let reload = office.command().await;
        office.take_into_use(&reload);
        assert!(matches!(outcome.await.unwrap().verdict, Verdict::InUse { .. }));
        assert!(office.failure.borrow().is_none());
    });
}

#[test]
fn what_the_switch_refuses_in_the_end_is_told_as_well_and_tried_again() {
    Office::new().run(async |mut office| {
        let outcome = office.wish(Cause::Command, Aim::Use).await;
        let reload = office.command().await;
        let mistakes = vec![dialplan::LoadError::at("scripts/main.lua", None, "too many")];
        office.questions.answered(Notice::ReloadFailed { id: reload.id, mistakes });
        let outcome = outcome.await.unwrap();
        assert_eq!(outcome.verdict, Verdict::Failed);
        assert_eq!(in_one_line(&outcome.mistakes[0]), "scripts/main.lua: too many");
        let again = office.wish(Cause::Command, Aim::Use).await;
        let reload = office.command().await;
        office.take_into_use(&reload);
        assert!(matches!(again.await.unwrap().verdict, Verdict::InUse { .. }));
    });
}

#[test]
fn a_file_that_was_touched_is_no_change_and_one_that_was_written_is() {
    Office::new().run(async |mut office| {
        office.write("scripts/main.lua", RIGHT);
        office.write("scripts/notes.txt", "no script");
        let outcome = office.wish(Cause::FileChange, Aim::Use).await.await.unwrap();
        assert_eq!(outcome.verdict, Verdict::Unchanged);
        office.write("cordboard.toml", "[account.102]\nsecret = \"x\"\n");
        let outcome = office.wish(Cause::FileChange, Aim::Use).await;
        let reload = office.command().await;
        assert!(reload.config.as_ref().unwrap().accounts.contains_key("102"));
        office.take_into_use(&reload);
        assert!(matches!(outcome.await.unwrap().verdict, Verdict::InUse { .. }));
        let outcome = office.wish(Cause::FileChange, Aim::Use).await.await.unwrap();
        assert_eq!(outcome.verdict, Verdict::Unchanged);
    });
}

#[test]
fn keys_that_need_a_restart_are_named_until_they_are_as_at_the_start() {
    Office::new().run(async |office| {
        for (text, keys) in [
            (
                "domain = \"a.b\"\n[media]\nthreads = 63\n[limits]\ncalls = 3\n",
                vec!["domain", "media.threads"],
            ),
            ("[media]\nthreads = 62\n", vec!["media.threads"]),
            (
                "[scripts]\nwatch = true\n[listen]\nudp = [\"127.0.0.1:5099\"]\n",
                vec!["listen.udp", "listen.tcp", "scripts.watch"],
            ),
            (
                "[http]\nlisten = \"127.0.0.1:5098\"\ntoken = \"a token, long enough\"\n",
                vec!["http.listen"],
            ),
            ("[account.101]\nsecret = \"y\"\n", vec![]),
        ] {
            office.write("cordboard.toml", text);
            let outcome = office.wish(Cause::Command, Aim::Check).await.await.unwrap();
            assert_eq!(outcome.restart, keys, "{text}");
        }
    });
}

#[test]
fn a_broken_configuration_is_told_with_its_line_and_without_its_secrets() {
    Office::new().run(async |office| {
        office.write("cordboard.toml", "[account.101]\nsecret = \"hidden\"\nnmae = \"x\"\n");
        let outcome = office.wish(Cause::Command, Aim::Use).await.await.unwrap();
        let told: Vec<String> = outcome.mistakes.iter().map(in_one_line).collect();
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].contains("cordboard.toml:3: unknown key `nmae`"), "{told:?}");
        assert!(!format!("{outcome:?}").contains("hidden"));
    });
}

#[test]
fn an_apology_that_nobody_recorded_stops_a_reload_if_it_was_asked_for() {
    Office::new().run(async |office| {
        office.write("cordboard.toml", "[scripts]\napology = \"my/sorry\"\n");
        let outcome = office.wish(Cause::Command, Aim::Check).await.await.unwrap();
        assert_eq!(outcome.verdict, Verdict::Failed);
        assert!(in_one_line(&outcome.mistakes[0]).contains("no prompt \"my/sorry\""));
        for text in ["", "[scripts]\napology = false\n"] {
            office.write("cordboard.toml", text);
            let outcome = office.wish(Cause::Command, Aim::Check).await.await.unwrap();
            assert_eq!(outcome.verdict, Verdict::Right { routes: 1 }, "{text}");
        }
    });
}
