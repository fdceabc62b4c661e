//! An office to ask questions about.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use dialplan::{Names, Sources};
use explain::{
    Colour, Detail, Explanation, Given, Office, PromptBook, Question, Style, Unexplained,
    parse_moment,
};
use jiff::Zoned;

/// An office with a dialplan.
pub(crate) struct Made {
    pub(crate) config: pbx::Config,
    sources: Sources,
    names: Names,
    prompts: Prompts,
}

/// As the command line draws it for a file.
pub(crate) const SHORT: Style = Style { colour: Colour::Off, detail: Detail::Short, columns: 100 };

/// What prompts say; each lasts a second and a half.
pub(crate) struct Prompts(pub(crate) BTreeMap<String, String>);

impl PromptBook for Prompts {
    fn text(&self, name: &str) -> Option<String> {
        self.0.get(name).filter(|text| !text.is_empty()).cloned()
    }

    fn length(&self, _: &str) -> Option<Duration> {
        Some(Duration::from_millis(1_500))
    }
}

impl Made {
    /// With one script, and a few prompts.
    pub(crate) fn of_script(script: &str) -> Self {
        let mut prompts = BTreeMap::new();
        for (name, text) in [
            ("en/main/welcome", "Welcome."),
            ("en/main/goodbye", "Goodbye."),
            ("en/main/busy", "Sorry, busy."),
            ("en/main/menu", "For sales, press 1. For support, press 2."),
            ("en/main/pin", "Your PIN, please."),
            ("en/main/wrong", "That is not right."),
            ("music/waltz", ""),
        ] {
            prompts.insert(name.to_owned(), text.to_owned());
        }
        for word in dialplan::say_prompts("en").unwrap() {
            let text = word.rsplit('/').next().unwrap().to_owned();
            prompts.insert(word, text);
        }
        let files = BTreeMap::from([("main.lua".to_owned(), script.to_owned())]);
        Self::new(Sources { files }, Prompts(prompts))
    }

    pub(crate) fn new(sources: Sources, prompts: Prompts) -> Self {
        let config = config();
        let names = Names {
            prompts: prompts.0.keys().cloned().collect(),
            extensions: config.accounts.keys().cloned().collect(),
            mailboxes: config.mailboxes.keys().cloned().collect(),
            language: "en".to_owned(),
            speech: true,
        };
        Self { config, sources, names, prompts }
    }

    fn ask(&self, question: &Question) -> Result<Explanation, Unexplained> {
        let Self { config, sources, names, prompts } = self;
        explain::explain(Office { config, sources, names, prompts }, question)
    }

    pub(crate) fn try_explain(&self, question: &str) -> Result<Explanation, Unexplained> {
        let (from, to) = question.split_once(' ').unwrap();
        self.ask(&Question::new(from, to, now()))
    }

    pub(crate) fn explain(&self, question: &str, change: impl Fn(&mut Question)) -> Explanation {
        let (from, to) = question.split_once(' ').unwrap();
        let mut question = Question::new(from, to, now());
        change(&mut question);
        self.ask(&question).unwrap()
    }
}

/// What the command line would print.
pub(crate) fn answer(made: &Made, question: &str) -> String {
    let mut words = question.split(' ');
    let from = words.next().unwrap();
    let mut words = words.peekable();
    // What runs without a call is not dialled.
    let to = words.next_if(|word| !word.starts_with("--")).unwrap_or_default();
    let mut asked = Question::new(from, to, now());
    let mut detail = Detail::Short;
    while let Some(word) = words.next() {
        match word {
            "--given" => asked.given.push(Given::parse(words.next().unwrap()).unwrap()),
            "--at" => {
                let at = words.next().unwrap().replace('_', " ");
                asked.at = parse_moment(&at, &now()).unwrap();
            }
            "--depth" => asked.bounds.depth = words.next().unwrap().parse().unwrap(),
            "--all" => {
                detail = Detail::Full;
                asked.hangups = true;
            }
            other => panic!("{other} is not an option"),
        }
    }
    match made.ask(&asked) {
        Ok(explanation) => explanation.draw(Style { colour: Colour::Off, detail, columns: 100 }),
        Err(Unexplained::Unknown(problem)) => format!("error: {problem}"),
        Err(Unexplained::Scripts(mistakes)) => panic!("{mistakes:?}"),
    }
}

fn now() -> Zoned {
    "2026-11-22T03:00[Europe/Berlin]".parse().unwrap()
}

fn config() -> pbx::Config {
    let numbers = || ["100", "101", "102"].map(str::to_owned).into_iter();
    let account = |user: String| {
        let mailbox = Some(user.clone());
        let name = if user == "100" { "Ann" } else { "" }.to_owned();
        (user.clone(), pbx::Account { user, secret: "secret".to_owned(), name, mailbox })
    };
    let mailbox = |name: String| {
        let message_max = Duration::from_secs(60);
        let pin = "4711".to_owned();
        (name, pbx::MailboxConfig { pin, messages_max: 10, message_max })
    };
    pbx::Config {
        domain: "office.example".to_owned(),
        listeners: Vec::new(),
        external_ip: None,
        rtp_port_first: 10_000,
        rtp_port_last: 10_100,
        media_threads: 1,
        nat: true,
        digest: Vec::new(),
        accounts: numbers().map(account).collect(),
        peers: vec![pbx::Peer {
            name: "telco".to_owned(),
            network: [203, 0, 113, 0].into(),
            prefix_bits: 24,
        }],
        mailboxes: Arc::new(numbers().map(mailbox).collect()),
        language: "en".to_owned(),
        apology: None,
        time_zone: now().time_zone().clone(),
        limits: pbx::Limits::default(),
        http_allow: vec![pbx::Allowed::parse("https://crm.example.org/").unwrap()],
        speech: Some(Arc::new(pbx::Synthesiser::new(pbx::SpeechBy::Command(vec!["speak".into()])))),
        script_limits: dialplan::Limits::default(),
        script_watch: dialplan::Watch::Nothing,
    }
}
