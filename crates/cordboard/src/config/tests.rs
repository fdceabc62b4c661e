use std::path::Path;

use proptest::prelude::*;

use super::*;

#[test]
fn an_empty_file_is_an_office_without_phones() {
    let settings = parse("").unwrap();
    assert_eq!(settings.domain, "cordboard");
    assert_eq!(settings.udp, [ListenSpec::private()]);
    assert_eq!(settings.tcp, [ListenSpec::private()]);
    assert_eq!(settings.rtp_ports, (16_384, 32_767));
    assert!(settings.accounts.is_empty());
    assert_eq!(settings.scripts, Path::new("/office/scripts"));
    assert!(!settings.watch && !settings.test_on_reload);
}

#[test]
fn everything_that_can_be_said_is_understood() {
    let settings = parse(EVERYTHING).unwrap();
    assert_eq!(settings.scripts, Path::new("/office/plan"));
    assert!(settings.watch && settings.test_on_reload);
    assert_eq!(settings.apology.as_deref(), Some("vm/oops"));
    assert_eq!(settings.prompts, Path::new("/usr/share/prompts"));
    assert_eq!(settings.data, Path::new("/office/var"));
    assert_eq!(settings.udp.len(), 2);
    assert!(settings.tcp.is_empty());
    assert_eq!((settings.rtp_ports, settings.media_threads), ((20_000, 20_100), 3));
    assert!(!settings.nat);
    assert_eq!(settings.external_ip, Some("203.0.113.7".parse().unwrap()));
    assert_eq!(settings.time_zone.iana_name(), Some("Europe/Berlin"));
    assert_eq!(settings.digest, [Algorithm::Md5]);
    assert_eq!(settings.limits.calls_max, 7);
    assert_eq!(settings.limits.call_max, Duration::from_secs(60));
    assert_eq!(settings.tcp_limits.connections_max, 9);
    assert_eq!(settings.script_limits.verbs_per_call, 11);
    assert_eq!(settings.script_limits.shared.keys, 12);
    assert_eq!(settings.script_limits.shared.bytes, 13);
    assert_eq!(settings.http.allow.len(), 2);
    assert_eq!(settings.http.listen.unwrap().token, "16 bytes of t0k.");
    let speech = settings.speech.unwrap();
    let command = ["/office/bin/say", "-v", "{voice}", "--lang={lang}"].map(str::to_owned);
    assert!(speech.by == pbx::SpeechBy::Command(command.into()), "found from the file");
    assert_eq!((speech.voice.as_deref(), speech.at_once), (Some("anna"), 3));
    assert_eq!((speech.timeout, speech.cache_bytes), (Duration::from_secs(5), 7 << 20));
    assert_eq!(settings.script_database, Path::new("survey.db"));
    assert_eq!(settings.accounts["101"].mailbox.as_deref(), Some("101"), "by its name");
    assert_eq!(settings.accounts["102"].mailbox.as_deref(), Some("desk"));
    assert_eq!(settings.mailboxes["desk"].messages_max, 5);
    assert_eq!(settings.peers[0].prefix_bits, 24);
    assert_eq!(settings.peers[1].prefix_bits, 128);
}

#[test]
fn a_caller_of_a_failed_script_hears_something_unless_it_is_switched_off() {
    assert_eq!(parse("").unwrap().apology.as_deref(), Some(APOLOGY));
    assert_eq!(parse("scripts = \"x\"").unwrap().apology.as_deref(), Some(APOLOGY));
    assert_eq!(parse("[scripts]\napology = false").unwrap().apology, None);
}

#[test]
fn the_folder_of_the_scripts_can_be_said_in_one_line() {
    let settings = parse("scripts = \"plan\"").unwrap();
    assert_eq!(settings.scripts, Path::new("/office/plan"));
}

#[test]
fn a_wrong_key_is_told_with_its_line_and_the_nearest_right_one() {
    let shown = complain("[listen]\nupd = [\"127.0.0.1:5060\"]\n");
    for part in ["unknown key `upd` in [listen]", "cordboard.toml:2:1", "did you mean `udp`?"] {
        assert!(shown.contains(part), "no {part} in\n{shown}");
    }
}

#[test]
fn each_kind_of_mistake_says_what_was_expected() {
    for (text, parts) in [
        ("domain = 3", &["`domain` must be a host name", "this is a whole number"][..]),
        ("domian = \"x\"", &["unknown key `domian`", "`domain`"]),
        ("scripts = 3", &["a section: [scripts]"]),
        ("[scripts]\nfolder = 3", &["`folder` in [scripts]", "the path of a folder"]),
        ("[scripts]\napology = true", &["`apology` in [scripts]", "prompt, or false"]),
        ("[scripts]\napology = \"a b\"", &["without the ending"]),
        ("[scripts]\nwach = true", &["unknown key `wach`", "did you mean `watch`?"]),
        ("[listen]\nudp = \"127.0.0.1:5060\"", &["a list of"]),
        ("[listen]\nudp = [\"127.0.0.1\"]", &["no `:PORT`"]),
        ("[listen]\nudp = [\"::1:5060\"]", &["in brackets"]),
        ("[listen]\nudp = [\"public:5060\"]", &["neither an IP address"]),
        ("[media]\nports = \"32767-16384\"", &["at least 8 above"]),
        ("[media]\nthreads = 0", &["a whole number from 1 to 64", "out of range"]),
        ("[media]\nnat = \"yes\"", &["must be true or false"]),
        ("[office]\ntime_zone = \"Europe/Brelin\"", &["did you mean \"Europe/Berlin\"?"]),
        ("[auth]\ndigest = [\"MD-5\"]", &["neither \"SHA-256\" nor \"MD5\""]),
        ("[account.101]\nname = \"Ann\"", &["[account.101] has no `secret`"]),
        ("[account.101]\nsecret = \"\"", &["open to everybody"]),
        ("[account.101]\nsecret = \"env:NOT_SET_ANYWHERE\"", &["no usable NOT_SET_ANYWHERE"]),
        ("[account.101]\nsecret = \"file:missing\"", &["cannot be read"]),
        ("[account.\"a b\"]\nsecret = \"x\"", &["a name that cannot be used"]),
        ("[account]\n101 = 3", &["[account.NAME]"]),
        ("account = 3", &["a section: [account]"]),
        (
            "[mailbox.101]\npin = \"4711\"\n[account.x]\nsecret = \"x\"\nmailbox = \"102\"",
            &["there is no mailbox of this name", "`101`"],
        ),
        ("[mailbox.101]\npin = 4711", &["not text in quotes"]),
        ("[mailbox.101]\npin = \"12\"", &["not 4 to 12 digits"]),
        ("[peer.x]\nnetwork = \"192.0.2.0/33\"", &["up to 32"]),
        (
            "[limits]\nregistration_min_seconds = 9000",
            &["registration_min_seconds is above registration_max_seconds"],
        ),
        ("[http]\nalow = []", &["unknown key `alow` in [http]", "did you mean `allow`?"]),
        ("[http]\nallow = [\"crm.example.org\"]", &["does not begin with https:// or http://"]),
        ("[http]\nallow = [\"https://a/../b\"]", &["has . or .. in its path"]),
        ("[http]\nlisten = \"8080\"\ntoken = \"x\"", &["not an IP address and a port"]),
        ("[http]\nlisten = \"127.0.0.1:8080\"", &["[http] has no `token`"]),
        (
            "[http]\nlisten = \"127.0.0.1:8080\"\ntoken = \"only15bytes....\"",
            &["shorter than 16 bytes", "openssl rand -hex 16"],
        ),
        ("[http]\nlisten = \"127.0.0.1:80\"\ntokn = \"hidden\"", &["did you mean `token`?"]),
        ("[http]\nca = \"missing.pem\"", &["missing.pem cannot be read"]),
        ("[scripts]\ndatabase = \"cordboard.db\"", &["Cordboard's own records"]),
        ("[scripts]\ndatbase = \"x\"", &["did you mean `database`?"]),
        ("[speech]", &["[speech]: it needs a `command` or a `url`"]),
        ("[speech]\ncomand = [\"say\"]", &["did you mean `command`?"]),
        ("[speech]\ncommand = \"say it\"", &["`command` in [speech] must be a list of"]),
        ("[speech]\ncommand = []", &["names no program"]),
        ("[speech]\ncommand = [\"say\"]\nurl = \"http://a/\"", &["choose one"]),
        ("[speech]\ncommand = [\"say\", \"{text}\"]", &["comes on standard input"]),
        ("[speech]\ncommand = [\"say\", \"{speed}\"]", &["nothing is put in for {speed}"]),
        ("[speech]\ncommand = [\"say\", \"-{voice}\"]", &["set `voice` for texts that name none"]),
        ("[speech]\ncommand = [\"say\"]\nvoice = \"-w\"", &["begin with a letter or digit"]),
        ("[speech]\ncommand = [\"say\"]\ntimeout = 0", &["a whole number from 1 to 120"]),
        ("[speech]\ncommand = [\"say\"]\nbody = \"{text}\"", &["go with `url`"]),
        ("[speech]\nurl = \"speech.test\"", &["does not begin with https:// or http://"]),
        ("[speech]\nurl = \"http://a/\"\nbody = \"{}\"", &["this has no {text} in it"]),
        ("[speech]\nurl = \"http://a/\"\nheaders = 3", &["a section: [speech.headers]"]),
        (
            "[speech]\nurl = \"http://a/\"\nheaders = { X = \"env:NOT_SET_ANYWHERE\" }",
            &["`headers.X` in [speech]", "no usable NOT_SET_ANYWHERE"],
        ),
        ("[speech]\nurl = \"http://a/\"\nheaders = { \"a b\" = \"x\" }", &["a header can have"]),
        ("domain = \"x\nfoo", &["not TOML", "cordboard.toml:1"]),
    ] {
        let shown = complain(text);
        for part in parts {
            assert!(shown.contains(part), "no {part} for {text}:\n{shown}");
        }
    }
}

#[test]
fn all_mistakes_are_told_at_once() {
    let shown = complain("domain = 1\n[media]\nnat = 2\n[limits]\nclals = 3\n");
    for part in ["cordboard.toml:1:", "cordboard.toml:3:", "cordboard.toml:5:"] {
        assert!(shown.contains(part), "no {part} in\n{shown}");
    }
}

#[test]
fn no_mistake_shows_a_secret() {
    for text in [
        "[account.101]\nsecret = \"hidden\"\nnane = \"x\"\nsecert = \"hidden\"",
        "[account.101]\nsecret = hidden",
        "[speech]\nheaders = { \"a b\" = \"hidden\", X = \"hidden\\n\" }",
        "[mailbox.1]\npin = 'hidden'",
    ] {
        let shown = complain(text);
        assert!(!shown.contains("hidden"), "{shown}");
    }
}

#[test]
fn the_headers_for_a_synthesiser_may_be_kept_in_files() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("token"), format!("Bearer {}\n", "x".repeat(600))).unwrap();
    let text = "[speech]\nurl = \"https://a.test/say\"\nheaders.Authorization = \"file:token\"\n";
    let speech = Settings::parse(text, folder.path()).unwrap().speech.unwrap();
    let pbx::SpeechBy::Url { url, body, headers } = &speech.by else { panic!("{speech:?}") };
    assert_eq!((url.as_str(), headers.len()), ("https://a.test/say", 1));
    assert_eq!(body, r#"{"text":{text},"lang":{lang},"voice":{voice}}"#);
    assert!(headers[0].1.starts_with("Bearer xxx"));
    assert!(!format!("{speech:?}").contains("xxx"));
}

#[test]
fn a_secret_may_be_kept_in_a_file() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("ann"), "from a file\n").unwrap();
    let text = "[account.101]\nsecret = \"file:ann\"\n";
    let settings = Settings::parse(text, folder.path()).unwrap();
    assert_eq!(settings.accounts["101"].secret, "from a file");
}

proptest! {
    /// Whatever the file holds is read or complained about, and complaining does not fail either.
    #[test]
    fn no_file_is_too_broken_to_be_told_of(
        edits in prop::collection::vec((any::<prop::sample::Index>(), 0..12_usize, ".{0,6}"), 1..6)
    ) {
        let mut text = String::from(EVERYTHING);
        for (at, cut, insert) in edits {
            let start = at.index(text.len());
            let start = (start..=text.len()).find(|at| text.is_char_boundary(*at)).unwrap();
            let end = (start + cut).min(text.len());
            let end = (end..=text.len()).find(|at| text.is_char_boundary(*at)).unwrap();
            text.replace_range(start..end, &insert);
        }
        if let Err(mistakes) = parse(&text) {
            prop_assert!(!render(Path::new("cordboard.toml"), &text, &mistakes).is_empty());
        }
    }
}

fn parse(text: &str) -> Result<Settings, Mistakes> {
    Settings::parse(text, Path::new("/office"))
}

#[track_caller]
fn complain(text: &str) -> String {
    let mistakes = parse(text).expect_err("nothing to complain about");
    render(Path::new("cordboard.toml"), text, &mistakes)
}

/// Every section and key there is.
const EVERYTHING: &str = r#"
domain = "pbx.example.org"
prompts = "/usr/share/prompts"
data = "var"
[scripts]
database = "survey.db"
folder = "plan"
watch = true
test_on_reload = true
apology = "vm/oops"
[listen]
udp = ["127.0.0.1:5070", "[::1]:5070"]
tcp = []
[media]
ports = "20000-20100"
threads = 3
nat = false
external_ip = "203.0.113.7"
[auth]
digest = ["MD5"]
[office]
language = "de"
time_zone = "Europe/Berlin"
[limits]
calls = 7
call_seconds = 60
connections = 9
script_verbs = 11
shared_keys = 12
shared_bytes = 13
[http]
allow = ["https://crm.example.org/", "http://10.0.0.5:8080/api/"]
listen = "127.0.0.1:8080"
token = "16 bytes of t0k."
[speech]
command = ["bin/say", "-v", "{voice}", "--lang={lang}"]
voice = "anna"
timeout = 5
at_once = 3
cache = 7
[account.101]
secret = "s3cret"
name = "Ann"
[account.102]
secret = "s3cret"
mailbox = "desk"
[mailbox.101]
pin = "4711"
[mailbox.desk]
pin = "0815"
messages = 5
message_seconds = 30
[peer.gateway]
network = "192.0.2.0/24"
[peer.six]
network = "2001:db8::1"
"#;
