//! Which way a stream flows (RFC 3264 §5.1, RFC 8866 §6.7).

/// Which way a stream flows, as seen from whoever wrote the description.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Direction {
    /// Both ways; what holds when nothing is said (RFC 8866 §6.7).
    #[default]
    SendRecv,
    /// The writer sends and does not want to receive: the usual hold.
    SendOnly,
    /// The writer receives and does not send.
    RecvOnly,
    /// Neither.
    Inactive,
}

impl Direction {
    /// The direction made of the two halves.
    fn of(send: bool, receive: bool) -> Direction {
        match (send, receive) {
            (true, true) => Direction::SendRecv,
            (true, false) => Direction::SendOnly,
            (false, true) => Direction::RecvOnly,
            (false, false) => Direction::Inactive,
        }
    }

    /// The same flow as seen from the other side.
    pub fn reversed(self) -> Direction {
        Direction::of(self.can_receive(), self.can_send())
    }

    /// What both allow, seen from the same side.
    pub fn and(self, other: Direction) -> Direction {
        Direction::of(
            self.can_send() && other.can_send(),
            self.can_receive() && other.can_receive(),
        )
    }

    /// Whether the writer may send.
    pub fn can_send(self) -> bool {
        matches!(self, Direction::SendRecv | Direction::SendOnly)
    }

    /// Whether the writer wants to receive.
    pub fn can_receive(self) -> bool {
        matches!(self, Direction::SendRecv | Direction::RecvOnly)
    }

    /// The attribute's name, as written after `a=`.
    pub fn as_str(self) -> &'static str {
        match self {
            Direction::SendRecv => "sendrecv",
            Direction::SendOnly => "sendonly",
            Direction::RecvOnly => "recvonly",
            Direction::Inactive => "inactive",
        }
    }

    /// The direction an attribute of this name means, in any case.
    pub(crate) fn from_attribute(name: &str) -> Option<Direction> {
        [Direction::SendRecv, Direction::SendOnly, Direction::RecvOnly, Direction::Inactive]
            .into_iter()
            .find(|direction| direction.as_str().eq_ignore_ascii_case(name))
    }
}

#[cfg(test)]
mod tests {
    use super::Direction::{self, Inactive, RecvOnly, SendOnly, SendRecv};

    const ALL: [Direction; 4] = [SendRecv, SendOnly, RecvOnly, Inactive];

    #[test]
    fn what_one_side_sends_the_other_receives() {
        assert_eq!(ALL.map(Direction::reversed), [SendRecv, RecvOnly, SendOnly, Inactive]);
    }

    #[test]
    fn two_wishes_meet_in_what_both_allow() {
        assert_eq!(ALL.map(|d| d.and(SendRecv)), ALL);
        assert_eq!(ALL.map(|d| d.and(SendOnly)), [SendOnly, SendOnly, Inactive, Inactive]);
        assert_eq!(ALL.map(|d| d.and(RecvOnly)), [RecvOnly, Inactive, RecvOnly, Inactive]);
        assert_eq!(ALL.map(|d| d.and(Inactive)), [Inactive; 4]);
    }

    #[test]
    fn each_direction_reads_its_own_name_in_any_case() {
        for direction in ALL {
            let name = direction.as_str().to_uppercase();
            assert_eq!(Direction::from_attribute(&name), Some(direction));
        }
        assert_eq!(Direction::from_attribute("direction"), None);
    }
}
