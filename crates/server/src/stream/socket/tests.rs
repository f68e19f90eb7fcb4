use bytes::Bytes;
use proptest::prelude::*;

use super::{CloseCode, Decoder, Heard, Violation, close_frame, json_frame, pong_frame, text_of};

const BYTES_MAX: usize = 70_000;

/// A frame as a client sends it.
fn client_frame(first: u8, payload: &[u8], mask: [u8; 4]) -> Vec<u8> {
    let mut frame = vec![first];
    match payload.len() {
        short @ 0..=125 => frame.push(0x80 | u8::try_from(short).unwrap()),
        medium @ 126..=65_535 => {
            frame.push(0x80 | 126);
            frame.extend(u16::try_from(medium).unwrap().to_be_bytes());
        }
        long => {
            frame.push(0x80 | 127);
            frame.extend((long as u64).to_be_bytes());
        }
    }
    frame.extend(mask);
    frame.extend(payload.iter().zip(mask.iter().cycle()).map(|(b, m)| b ^ m));
    frame
}

fn everything(decoder: &mut Decoder) -> Result<Vec<Heard>, Violation> {
    let mut all = Vec::new();
    while let Some(heard) = decoder.next()? {
        all.push(heard);
    }
    Ok(all)
}

fn decode(bytes: &[u8]) -> Result<Vec<Heard>, Violation> {
    let mut decoder = Decoder::new(BYTES_MAX);
    decoder.feed(bytes);
    everything(&mut decoder)
}

proptest! {
    #[test]
    fn messages_are_the_same_however_the_bytes_are_cut_and_fragmented(
        texts in prop::collection::vec(".{0,300}", 0..6),
        parts in 1_usize..5,
        cut in 1_usize..90,
        mask in any::<[u8; 4]>(),
        ping_between in any::<bool>(),
    ) {
        let mut bytes = Vec::new();
        let mut expected = Vec::new();
        for text in &texts {
            let size = text.len().div_ceil(parts).max(1);
            let pieces: Vec<&[u8]> = if text.is_empty() {
                vec![&[]]
            } else {
                text.as_bytes().chunks(size).collect()
            };
            for (index, piece) in pieces.iter().enumerate() {
                let opcode = if index == 0 { 0x1 } else { 0x0 };
                let fin = if index + 1 == pieces.len() { 0x80 } else { 0 };
                bytes.extend(client_frame(fin | opcode, piece, mask));
                if ping_between {
                    bytes.extend(client_frame(0x89, b"hi", mask));
                    if index + 1 < pieces.len() {
                        expected.push(Heard::Ping(b"hi".to_vec()));
                    }
                }
            }
            expected.push(Heard::Text(text.clone()));
            if ping_between {
                expected.push(Heard::Ping(b"hi".to_vec()));
            }
        }
        let mut decoder = Decoder::new(BYTES_MAX);
        let mut heard = Vec::new();
        for piece in bytes.chunks(cut) {
            decoder.feed(piece);
            heard.extend(everything(&mut decoder).unwrap());
        }
        prop_assert_eq!(heard, expected);
    }

    #[test]
    fn no_bytes_make_the_decoder_panic_or_hold_more_than_the_bound(
        bytes in prop::collection::vec(any::<u8>(), 0..2_000),
        cut in 1_usize..64,
    ) {
        let mut decoder = Decoder::new(512);
        for piece in bytes.chunks(cut) {
            decoder.feed(piece);
            if everything(&mut decoder).is_err() {
                prop_assert_eq!(decoder.next(), Ok(None));
                break;
            }
        }
    }

    #[test]
    fn a_sent_text_is_found_again_behind_its_header(length in 0_usize..70_000) {
        let text = "x".repeat(length);
        let frame = json_frame(&text).unwrap();
        prop_assert_eq!(text_of(&frame), Bytes::from(format!("\"{text}\"")));
        // A strict reader of the other side agrees on where the payload ends.
        let masked: Vec<u8> = client_frame(frame[0], &text_of(&frame), [0; 4]);
        prop_assert_eq!(masked.len(), frame.len() + 4);
    }
}

#[test]
fn a_message_up_to_the_bound_is_taken_and_one_beyond_is_refused_before_it_has_come() {
    let whole = client_frame(0x81, &vec![b'a'; BYTES_MAX], [1, 2, 3, 4]);
    assert_eq!(decode(&whole).unwrap().len(), 1);
    let beyond = client_frame(0x81, &vec![b'a'; BYTES_MAX + 1], [1, 2, 3, 4]);
    assert_eq!(decode(&beyond[..14]), Err(Violation::TooLarge));
    let mut in_parts = client_frame(0x01, &vec![b'a'; BYTES_MAX], [1, 2, 3, 4]);
    in_parts.extend(client_frame(0x80, b"b", [1, 2, 3, 4]));
    assert_eq!(decode(&in_parts), Err(Violation::TooLarge));
}

#[test]
fn what_the_protocol_forbids_is_refused() {
    let mask = [9, 8, 7, 6];
    let cases: [(&str, Vec<u8>, Violation); 12] = [
        ("unmasked", vec![0x81, 0x01, b'a'], Violation::Unmasked),
        (
            "reserved bit",
            client_frame(0xC1, b"a", mask),
            Violation::Reserved,
        ),
        ("binary", client_frame(0x82, b"a", mask), Violation::Binary),
        (
            "opcode",
            client_frame(0x83, b"a", mask),
            Violation::Opcode(3),
        ),
        (
            "long ping",
            client_frame(0x89, &[0; 126], mask),
            Violation::Control,
        ),
        (
            "ping in parts",
            client_frame(0x09, b"a", mask),
            Violation::Control,
        ),
        (
            "stray continuation",
            client_frame(0x80, b"a", mask),
            Violation::Fragments,
        ),
        (
            "message in a message",
            [
                client_frame(0x01, b"a", mask),
                client_frame(0x81, b"b", mask),
            ]
            .concat(),
            Violation::Fragments,
        ),
        (
            "not utf-8",
            client_frame(0x81, &[0xFF, 0xFE], mask),
            Violation::NotText,
        ),
        (
            "close of one byte",
            client_frame(0x88, &[3], mask),
            Violation::Close,
        ),
        (
            "close with a reserved code",
            client_frame(0x88, &1005_u16.to_be_bytes(), mask),
            Violation::Close,
        ),
        (
            "length of 5 in two bytes",
            vec![0x81, 0xFE, 0, 5],
            Violation::Length,
        ),
    ];
    for (name, bytes, violation) in cases {
        assert_eq!(decode(&bytes), Err(violation), "{name}");
    }
}

#[test]
fn nothing_is_heard_after_a_close() {
    let mask = [0; 4];
    let mut decoder = Decoder::new(BYTES_MAX);
    decoder.feed(&client_frame(0x88, &[], mask));
    assert_eq!(decoder.next(), Ok(Some(Heard::Close)));
    decoder.feed(&client_frame(0x81, b"more", mask));
    assert_eq!(decoder.next(), Ok(None));
}

#[test]
fn control_frames_stay_within_their_bound() {
    let close = close_frame(CloseCode::Policy, &"é".repeat(200));
    assert_eq!(close.len(), 2 + 2 + 122);
    assert_eq!(&close[2..4], &1008_u16.to_be_bytes());
    assert!(std::str::from_utf8(&close[4..]).is_ok());
    assert_eq!(pong_frame(&[7; 300]).len(), 2 + 125);
}
