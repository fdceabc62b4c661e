//! Where phones say that they are: bindings made, refreshed, asked for, removed, run out and kept; and
//! who may not make any.

use std::time::Duration;

use tests::{ByHand, Plan, World};

const DESK: &str = "Contact: <sip:101@10.9.9.1:5060>\nExpires: 600\n";

fn world() -> World {
    World::new(Plan::default())
}

/// The contacts in an answer, each without its own brackets.
fn contacts(answer: &str) -> Vec<String> {
    let lines = answer.lines().filter_map(|line| line.strip_prefix("Contact: "));
    lines.map(str::to_owned).collect()
}

fn status(answer: &str) -> &str {
    answer.split(' ').nth(1).unwrap_or("none")
}

#[test]
fn each_phone_of_an_account_has_its_own_binding() {
    let (mut world, mut desk, mut sofa) = (world(), ByHand::new(1, "101"), ByHand::new(2, "101"));
    assert_eq!(contacts(&desk.register(&mut world, DESK)), ["<sip:101@10.9.9.1:5060>;expires=600"]);
    world.run_for(Duration::from_secs(100));
    let both = sofa.register(&mut world, "Contact: <sip:101@10.9.9.2>;q=0.5;expires=300\n");
    assert_eq!(
        contacts(&both),
        ["<sip:101@10.9.9.1:5060>;expires=499", "<sip:101@10.9.9.2>;expires=300;q=0.500"]
    );
    // A question changes nothing.
    assert_eq!(contacts(&desk.register(&mut world, "")).len(), 2);
    // A refresh begins anew.
    let refreshed = desk.register(&mut world, DESK);
    assert!(refreshed.contains("<sip:101@10.9.9.1:5060>;expires=600"), "{refreshed}");
    assert_eq!(world.shelf.bindings.len(), 2);
}

#[test]
fn bindings_are_removed_one_by_one_or_all_at_once() {
    let (mut world, mut desk, mut sofa) = (world(), ByHand::new(1, "101"), ByHand::new(2, "101"));
    desk.register(&mut world, DESK);
    sofa.register(&mut world, "Contact: <sip:101@10.9.9.2>\n");
    let left = desk.register(&mut world, "Contact: <sip:101@10.9.9.1:5060>\nExpires: 0\n");
    assert_eq!(contacts(&left), ["<sip:101@10.9.9.2>;expires=3599"]);
    desk.register(&mut world, DESK);
    assert_eq!(status(&desk.register(&mut world, "Contact: *\nExpires: 10\n")), "400");
    assert_eq!(world.shelf.bindings.len(), 2);
    let none = desk.register(&mut world, "Contact: *\nExpires: 0\n");
    assert_eq!((status(&none), contacts(&none).len()), ("200", 0));
    assert!(world.shelf.bindings.is_empty());
}

#[test]
fn too_short_too_long_and_too_many() {
    let (mut world, mut desk) = (world(), ByHand::new(1, "101"));
    let short = desk.register(&mut world, "Contact: <sip:101@10.9.9.1>\nExpires: 59\n");
    assert_eq!(status(&short), "423");
    assert!(short.contains("Min-Expires: 60"), "{short}");
    let long = desk.register(&mut world, "Contact: <sip:101@10.9.9.1>\nExpires: 99999\n");
    assert_eq!(contacts(&long), ["<sip:101@10.9.9.1>;expires=7200"]);
    for n in 2..=10 {
        let next = desk.register(&mut world, &format!("Contact: <sip:101@10.9.9.1:{n}>\n"));
        assert_eq!(status(&next), "200");
    }
    assert_eq!(status(&desk.register(&mut world, "Contact: <sip:101@10.9.9.1:11>\n")), "403");
    assert_eq!(world.shelf.bindings.len(), 10);
    // One goes, another comes, in one request.
    let swap = "Contact: <sip:101@10.9.9.1:10>;expires=0, <sip:101@10.9.9.1:11>\n";
    assert_eq!(status(&desk.register(&mut world, swap)), "200");
}

#[test]
fn a_binding_runs_out_on_time() {
    let (mut world, mut desk) = (world(), ByHand::new(1, "101"));
    desk.register(&mut world, "Contact: <sip:101@10.9.9.1>\nExpires: 60\n");
    world.run_for(Duration::from_secs(59));
    assert_eq!(world.shelf.bindings.len(), 1);
    world.run_for(Duration::from_secs(1));
    assert!(world.shelf.bindings.is_empty());
    assert!(contacts(&desk.register(&mut world, "")).is_empty());
}

#[test]
fn an_old_request_undoes_no_newer_one() {
    let (mut world, mut desk) = (world(), ByHand::new(1, "101"));
    desk.cseq = 10;
    desk.register(&mut world, DESK);
    desk.cseq = 4;
    let late = desk.register(&mut world, "Contact: <sip:101@10.9.9.1:5060>\nExpires: 0\n");
    assert_eq!(status(&late), "500");
    desk.cseq = 4;
    desk.call_id = "after-a-restart".to_owned();
    let fresh = desk.register(&mut world, "Contact: <sip:101@10.9.9.1:5060>\nExpires: 0\n");
    assert_eq!(status(&fresh), "200");
    assert!(world.shelf.bindings.is_empty());
}

#[test]
fn registrations_survive_a_restart() {
    let mut world = world();
    world.phone("alice", "101");
    world.phone("bob", "102");
    world.register_all();
    world.run_for(Duration::from_secs(3_000));
    world.restart();
    world.act("alice", "INVITE 102");
    world.run_for(Duration::from_secs(1));
    assert!(world.log.iter().any(|line| line.ends_with("bob <- INVITE")), "{:?}", world.log);
    world.act("alice", "CANCEL");
    // What would have run out meanwhile is not taken back.
    world.run_for(Duration::from_secs(600));
    world.restart();
    world.act("alice", "INVITE 102");
    world.run_for(Duration::from_secs(1));
    assert!(world.log.iter().any(|line| line.contains("480 not registered")), "{:?}", world.log);
    world.assert_all_is_quiet();
}

#[test]
fn the_phone_of_a_broken_connection_is_not_called_until_it_comes_back() {
    let mut world = world();
    world.phone("alice", "101");
    world.phone("bob", "102");
    world.phones[1].transport = sip_engine::Transport::Tcp;
    world.register_all();
    world.break_connection("bob");
    world.check(
        "
           0  alice -> INVITE 102
           0  alice <- 480 not registered
           0  record 101 102 refused 480
        1000  bob   -> REGISTER
        1000  bob   <- registered 200
        2000  alice -> INVITE 102
        2000  bob   <- INVITE
        2100  bob   -> 486
        2100  alice <- 486
        2100  record 101 102 refused 486
    ",
    );
    world.assert_all_is_quiet();
}

#[test]
fn wrong_secrets_are_answered_ever_more_slowly_and_then_refused() {
    let (mut world, mut guesser) = (world(), ByHand::new(1, "101"));
    let mut owner = ByHand::new(1, "101");
    owner.call_id = "owner".to_owned();
    guesser.secret = "wrong".to_owned();
    for guess in 1..=10 {
        let first = guesser.request("REGISTER", "sip:office.test", "", "");
        let challenge = guesser.send(&mut world, &first).remove(0);
        let proof = guesser.proof(&challenge, "REGISTER", "sip:office.test");
        let request = guesser.request("REGISTER", "sip:office.test", &format!("{proof}{DESK}"), "");
        world.deliver_by_hand(guesser.address, &request);
        let wait = Duration::from_millis(250 * guess).min(Duration::from_secs(2));
        world.run_for(wait - Duration::from_millis(1));
        assert!(world.astray(guesser.address).is_empty(), "guess {guess} was answered too soon");
        world.run_for(Duration::from_millis(1));
        assert_eq!(status(&world.astray(guesser.address)[0]), "401");
    }
    assert_eq!(status(&guesser.register(&mut world, DESK)), "403");
    // Even with the right secret now; but what is forgotten is forgiven.
    assert_eq!(status(&owner.register(&mut world, DESK)), "403");
    world.run_for(Duration::from_secs(301));
    assert_eq!(status(&owner.register(&mut world, DESK)), "200");
}

#[test]
fn guessing_behind_an_address_does_not_lock_out_who_is_registered_from_there() {
    let (mut world, mut owner) = (world(), ByHand::new(1, "101"));
    assert_eq!(status(&owner.register(&mut world, DESK)), "200");
    let mut guesser = ByHand::new(1, "102");
    guesser.secret = "wrong".to_owned();
    guesser.call_id = "guess".to_owned();
    for _ in 0..12 {
        guesser.register(&mut world, DESK);
        world.run_for(Duration::from_secs(3));
    }
    assert_eq!(status(&owner.register(&mut world, DESK)), "200");
}

#[test]
fn nobody_can_tell_accounts_that_exist_from_those_that_do_not() {
    let looks = |user: &str, method: &str| {
        let (mut world, mut stranger) = (world(), ByHand::new(1, user));
        stranger.secret = "wrong".to_owned();
        let uri = if method == "REGISTER" { "sip:office.test" } else { "sip:102@office.test" };
        let first = stranger.request(method, uri, "", "");
        let mut answers = stranger.send(&mut world, &first);
        let proof = stranger.proof(&answers[0], method, uri);
        let second = stranger.request(method, uri, &proof, "");
        world.deliver_by_hand(stranger.address, &second);
        for _ in 0..10 {
            world.run_for(Duration::from_millis(50));
            answers.push("later".to_owned());
            answers.extend(world.astray(stranger.address));
        }
        let lines = answers.iter().flat_map(|answer| answer.lines());
        // Our tag is random.
        let known = |line: &str| match line.split_once(";tag=") {
            Some((to, _)) if line.starts_with("To:") => to.replace(user, "USER"),
            _ => line.replace(user, "USER"),
        };
        lines.map(known).collect::<Vec<_>>()
    };
    for method in ["REGISTER", "INVITE"] {
        assert_eq!(looks("101", method), looks("555", method));
        assert!(looks("101", method).iter().any(|line| line.starts_with("SIP/2.0 401")));
    }
}

#[test]
fn an_account_registers_nobody_but_itself() {
    let (mut world, mut alice) = (world(), ByHand::new(1, "101"));
    let first = alice.request("REGISTER", "sip:office.test", DESK, "");
    let first = first.replace("To: <sip:101@", "To: <sip:102@");
    let challenge = alice.send(&mut world, &first).remove(0);
    let proof = alice.proof(&challenge, "REGISTER", "sip:office.test");
    let second = alice.request("REGISTER", "sip:office.test", &format!("{proof}{DESK}"), "");
    let second = second.replace("To: <sip:101@", "To: <sip:102@");
    assert_eq!(status(&alice.send(&mut world, &second)[0]), "403");
    assert!(world.shelf.bindings.is_empty());
}

#[test]
fn a_proof_is_good_once_and_for_five_minutes() {
    let (mut world, mut alice) = (world(), ByHand::new(1, "101"));
    let first = alice.request("REGISTER", "sip:office.test", "", "");
    let challenge = alice.send(&mut world, &first).remove(0);
    let proof = alice.proof(&challenge, "REGISTER", "sip:office.test");
    let second = alice.request("REGISTER", "sip:office.test", &format!("{proof}{DESK}"), "");
    assert_eq!(status(&alice.send(&mut world, &second)[0]), "200");
    // The same proof again, from elsewhere and from here.
    let mut thief = ByHand::new(7, "101");
    for who in [&mut thief, &mut alice] {
        let again = who.request("REGISTER", "sip:office.test", &format!("{proof}{DESK}"), "");
        let answer = who.send(&mut world, &again).remove(0);
        assert_eq!(status(&answer), "401");
        assert!(answer.contains("stale=true"), "{answer}");
    }
    let first = alice.request("REGISTER", "sip:office.test", "", "");
    let challenge = alice.send(&mut world, &first).remove(0);
    let proof = alice.proof(&challenge, "REGISTER", "sip:office.test");
    world.run_for(Duration::from_secs(301));
    let late = alice.request("REGISTER", "sip:office.test", &format!("{proof}{DESK}"), "");
    let answer = alice.send(&mut world, &late).remove(0);
    assert!(status(&answer) == "401" && answer.contains("stale=true"), "{answer}");
}

#[test]
fn a_trusted_network_may_call_but_takes_over_nobodys_number() {
    let peer =
        pbx::Peer { name: "gateway".to_owned(), network: [10, 9, 9, 0].into(), prefix_bits: 24 };
    let mut world = World::new(Plan { peers: vec![peer], ..Plan::default() });
    world.phone("bob", "102");
    world.register_all();
    let mut gateway = ByHand::new(1, "5551234");
    let refused = gateway.request("REGISTER", "sip:office.test", DESK, "");
    assert_eq!(status(&gateway.send(&mut world, &refused)[0]), "401");
    let invite =
        gateway.request("INVITE", "sip:102@office.test", "Contact: <sip:5551234@10.9.9.1>\n", "");
    assert_eq!(status(&gateway.send(&mut world, &invite)[0]), "100");
    assert!(world.log.iter().any(|line| line.ends_with("bob <- INVITE")), "{:?}", world.log);
}
