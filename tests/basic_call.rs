//! Two phones and a dialplan: calls answered, refused, cancelled, held; each once per lost message.

use tests::{Plan, World};

fn office() -> World {
    let mut world = World::new(Plan::default());
    world.phone("alice", "101");
    world.phone("bob", "102");
    world.register_all();
    world
}

#[test]
fn a_call_is_answered_and_both_hear_each_other() {
    let mut world = office();
    world.check(
        "
           0  alice -> INVITE 102
           0  bob   <- INVITE
          20  bob   -> 180
          20  alice <- 180
        4000  bob   -> 200
        4000  alice <- 200
        5000  alice hears bob
        5000  bob   hears alice
        9000  alice -> BYE
        9000  bob   <- BYE
        9000  record 101 102 answered 5000 ms
        9500  end
    ",
    );
    world.assert_all_is_quiet();
}
