use super::*;

#[test]
fn hands_out_each_even_port_once_and_then_none() {
    let mut pool = PortPool::new(10_001, 10_009);
    let ports: Vec<_> = std::iter::from_fn(|| pool.allocate()).collect();
    assert_eq!(ports, [10_002, 10_004, 10_006, 10_008]);
    assert_eq!(pool.in_use(), 4);
}

#[test]
fn a_port_given_back_rests_while_others_are_ready() {
    let mut pool = PortPool::new(10_000, 10_062);
    assert_eq!(pool.capacity(), 32);
    let first = pool.allocate().unwrap();
    pool.free(first);
    let next: Vec<_> = (0..31).map(|_| pool.allocate().unwrap()).collect();
    assert!(!next.contains(&first));
    assert_eq!(pool.allocate(), None, "the last one rests until four more were given back");
    for &port in &next[..4] {
        pool.free(port);
    }
    assert_eq!(pool.allocate(), Some(first));
}

#[test]
fn giving_back_twice_or_a_stranger_changes_nothing() {
    let mut pool = PortPool::new(10_000, 10_003);
    let port = pool.allocate().unwrap();
    for wrong in [10_001, 10_002, 9_998, 10_004, 0, 65_535] {
        pool.free(wrong);
    }
    assert_eq!(pool.in_use(), 1);
    pool.free(port);
    pool.free(port);
    assert_eq!(pool.in_use(), 0);
    assert_eq!(pool.allocate(), Some(10_002));
    assert_eq!(pool.allocate(), Some(port));
    assert_eq!(pool.allocate(), None);
}

#[test]
fn odd_and_empty_ranges_are_harmless() {
    assert_eq!(PortPool::new(5, 4).allocate(), None);
    assert_eq!(PortPool::new(7, 7).allocate(), None);
    assert_eq!(PortPool::new(0, 1).allocate(), None);
    assert_eq!(PortPool::new(65_535, 65_535).allocate(), None);
    assert_eq!(PortPool::new(65_534, 65_535).allocate(), Some(65_534));
    assert_eq!(PortPool::new(0, 2).allocate(), Some(2));
}
