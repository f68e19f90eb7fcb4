//! The WebSocket frames that a server sends, taken apart so that whole ones can be lost.

use super::Mishap;

/// One connection's bytes, on the way from the server to an evaluator.
#[derive(Debug, Default)]
pub(crate) struct Frames {
    /// What has not come whole yet: the answer's head, then one frame.
    pending: Vec<u8>,
    speaks: Speaks,
    /// A frame that the next one overtakes.
    held: Vec<u8>,
}

#[derive(Debug, Default, PartialEq, Eq)]
enum Speaks {
    #[default]
    NothingYet,
    WebSocket,
    /// What has no frames passes as it is.
    Other,
}

impl Frames {
    /// What goes on of `bytes`, given what happens to each text or binary frame.
    pub(crate) fn pass(
        &mut self,
        bytes: &[u8],
        mut mishap: impl FnMut() -> Option<Mishap>,
    ) -> Vec<u8> {
        self.pending.extend(bytes);
        let mut passed = Vec::new();
        if self.speaks == Speaks::NothingYet {
            let Some(end) = end_of_head(&self.pending) else {
                return passed;
            };
            passed.extend(self.pending.drain(..end));
            let is_switched = passed.starts_with(b"HTTP/1.1 101");
            self.speaks = if is_switched {
                Speaks::WebSocket
            } else {
                Speaks::Other
            };
        }
        if self.speaks == Speaks::Other {
            passed.append(&mut self.pending);
            return passed;
        }
        while let Some(length) = whole_frame(&self.pending) {
            let frame: Vec<u8> = self.pending.drain(..length).collect();
            let carries_data = matches!(frame[0] & 0x0F, 1 | 2);
            let befalls = if carries_data && self.held.is_empty() {
                mishap()
            } else {
                None
            };
            match befalls {
                None => passed.extend(&frame),
                Some(Mishap::Drop) => {}
                Some(Mishap::Duplicate) => passed.extend([&frame[..], &frame].concat()),
                Some(Mishap::Overtaken) => {
                    self.held = frame;
                    continue;
                }
            }
            if carries_data {
                passed.append(&mut self.held);
            }
        }
        passed
    }
}

fn end_of_head(bytes: &[u8]) -> Option<usize> {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
    Some(end + 4)
}

/// The length of the first frame when all of it is there. A server's frames are not masked.
fn whole_frame(bytes: &[u8]) -> Option<usize> {
    let (head, payload) = match bytes.get(1)? & 0x7F {
        126 => {
            let length = bytes.get(2..4)?.try_into().unwrap();
            (4, usize::from(u16::from_be_bytes(length)))
        }
        127 => {
            let length = bytes.get(2..10)?.try_into().unwrap();
            (10, usize::try_from(u64::from_be_bytes(length)).unwrap())
        }
        short => (2, usize::from(short)),
    };
    (bytes.len() >= head + payload).then_some(head + payload)
}

#[test]
fn whole_frames_are_lost_repeated_and_overtaken_and_nothing_else_is_touched() {
    let frame = |text: &[u8]| [&[0x81, u8::try_from(text.len()).unwrap()], text].concat();
    let ping = vec![0x89, 0];
    let mut stream = b"HTTP/1.1 101 Switching Protocols\r\n\r\n".to_vec();
    for part in [
        frame(b"one"),
        ping.clone(),
        frame(b"two"),
        frame(b"three"),
        frame(b"four"),
        frame(b"five"),
    ] {
        stream.extend(part);
    }
    let mut mishaps = vec![Mishap::Overtaken, Mishap::Duplicate, Mishap::Drop];
    let mut frames = Frames::default();
    let mut passed = Vec::new();
    // However the bytes fall into pieces.
    for piece in stream.chunks(3) {
        passed.extend(frames.pass(piece, || mishaps.pop()));
    }
    let mut expected = b"HTTP/1.1 101 Switching Protocols\r\n\r\n".to_vec();
    for part in [
        ping,
        frame(b"two"),
        frame(b"two"),
        frame(b"four"),
        frame(b"three"),
        frame(b"five"),
    ] {
        expected.extend(part);
    }
    assert_eq!(passed, expected);
}
