//! What a client sends over the server's side of a WebSocket. However the bytes are cut, the same
//! is heard of them, and nothing longer than the bound.

use leverframe_server::fuzz::{Spoken, hear};
use leverframe_wire::frame::Message;

/// Small, so that a few bytes reach it.
const BYTES_MAX: usize = 300;

pub fn check(bytes: &[u8]) {
    let Some((&cut, bytes)) = bytes.split_first() else {
        return;
    };
    let whole = hear(bytes.chunks(usize::MAX), BYTES_MAX);
    let in_parts = hear(bytes.chunks(usize::from(cut).max(1)), BYTES_MAX);
    assert_eq!(whole, in_parts, "cut every {cut} bytes");
    let (spoken, violation) = whole;
    assert!(
        violation.is_none() || spoken.last() != Some(&Spoken::Close),
        "nothing is wrong after a close"
    );
    for said in spoken {
        let Spoken::Text(text) = said else { continue };
        assert!(text.len() <= BYTES_MAX);
        let Ok(message) = serde_json::from_str::<Message>(&text) else {
            continue;
        };
        let written = serde_json::to_string(&message).expect("a message");
        let again = serde_json::from_str(&written).ok();
        assert_eq!(Some(message), again, "{text}");
    }
}
