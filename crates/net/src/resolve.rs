//! Looking host names up, without holding anybody up.
//!
//! A and AAAA through the system's resolver; the ports and orders of SRV and NAPTR (RFC 3263) are not
//! asked for yet.

use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;

/// Looks host names up beside the thread that runs the switch.
#[derive(Debug)]
pub struct Resolver<T> {
    replies: mpsc::Sender<(T, Vec<SocketAddr>)>,
    running: Rc<Semaphore>,
    tasks: JoinSet<()>,
}

impl<T: 'static> Resolver<T> {
    /// Replies go to `replies`: the question's ticket and the addresses, in order of preference.
    pub fn new(replies: mpsc::Sender<(T, Vec<SocketAddr>)>) -> Self {
        Self { replies, running: Rc::new(Semaphore::new(LOOKUPS_MAX)), tasks: JoinSet::new() }
    }

    /// Asks for the addresses of `host`. A failure, or more than [`LOOKUPS_WAITING_MAX`] questions at
    /// once, is a reply without addresses; the latter is given back at once, as an error.
    ///
    /// # Errors
    /// Gives the ticket back when too many questions are open.
    ///
    /// # Panics
    /// Outside a tokio `LocalSet`.
    pub fn ask(&mut self, ticket: T, host: String, port: u16) -> Result<(), T> {
        while self.tasks.try_join_next().is_some() {}
        if self.tasks.len() >= LOOKUPS_WAITING_MAX {
            return Err(ticket);
        }
        let running = Rc::clone(&self.running);
        let replies = self.replies.clone();
        self.tasks.spawn_local(async move {
            let Ok(_permit) = running.acquire().await else { return };
            let lookup = tokio::net::lookup_host((host.as_str(), port));
            let addresses = match tokio::time::timeout(LOOKUP_TIME_MAX, lookup).await {
                Ok(Ok(found)) => found.take(ADDRESSES_MAX).collect(),
                Ok(Err(error)) => {
                    tracing::info!(host, %error, "no address found");
                    Vec::new()
                }
                Err(_elapsed) => {
                    tracing::warn!(host, "name servers did not answer in time");
                    Vec::new()
                }
            };
            if replies.send((ticket, addresses)).await.is_err() {
                tracing::trace!("nobody waits for addresses any more");
            }
        });
        Ok(())
    }
}

/// Look-ups at one time; each holds a thread while the system's resolver works.
pub const LOOKUPS_MAX: usize = 16;
/// Questions open at one time; beyond, the answer is that there is no address.
pub const LOOKUPS_WAITING_MAX: usize = 512;
/// Addresses taken from one answer.
const ADDRESSES_MAX: usize = 16;
/// How long one look-up may take.
const LOOKUP_TIME_MAX: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_name_becomes_addresses_with_the_port_asked_for() {
        let replies = ask("localhost").await;
        assert!(replies.iter().any(|address| address.ip().is_loopback() && address.port() == 5060));
    }

    #[tokio::test]
    async fn a_name_that_cannot_be_is_answered_with_nothing() {
        assert_eq!(ask("no such name.invalid").await, []);
    }

    #[tokio::test]
    async fn too_many_questions_are_refused_at_once() {
        let (sender, _receiver) = mpsc::channel(1);
        let mut resolver = Resolver::new(sender);
        tokio::task::LocalSet::new()
            .run_until(async {
                for ticket in 0..LOOKUPS_WAITING_MAX {
                    assert_eq!(resolver.ask(ticket, "192.0.2.1".into(), 1), Ok(()));
                }
                assert_eq!(resolver.ask(7, "192.0.2.1".into(), 1), Err(7));
            })
            .await;
    }

    async fn ask(host: &str) -> Vec<SocketAddr> {
        let (sender, mut receiver) = mpsc::channel(1);
        let mut resolver = Resolver::new(sender);
        tokio::task::LocalSet::new()
            .run_until(async {
                resolver.ask("ticket", host.into(), 5060).unwrap();
                let (ticket, addresses) = receiver.recv().await.unwrap();
                assert_eq!(ticket, "ticket");
                addresses
            })
            .await
    }
}
