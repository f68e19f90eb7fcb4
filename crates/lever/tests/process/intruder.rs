//! Clients that send nothing, nonsense, or half of something do not hurt those that behave.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use crate::bench::Bench;

#[test]
fn silent_slow_and_garbled_clients_do_not_hold_up_a_kill() {
    let bench = Bench::with_open_checkout();
    let evaluator = bench.follow("b1");
    evaluator.until(true);
    let memory = resident_kib(bench.server().id());
    let address = bench.server().address();
    let token = bench.token("shop --role evaluator -e prod");

    let upgrade = format!(
        "GET /api/v1/stream HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n\
         connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n\
         sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    );
    let garbage: Vec<u8> = (0..4_096_u32)
        .map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8)
        .collect();
    let mut open = Vec::new();
    for beginning in [
        Vec::new(),
        b"GET /api/v1/str".to_vec(),
        upgrade.clone().into_bytes(),
        [upgrade.as_bytes(), b"\r\n"].concat(),
        [upgrade.as_bytes(), b"\r\n", &garbage].concat(),
        garbage,
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec(),
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\xff\xff\xff\xff".to_vec(),
        [
            &b"POST /api/v1/environments/prod/kill HTTP/1.1\r\ncontent-length: 999999999\r\n\r\n"[..],
            &[b'['; 10_000],
        ]
        .concat(),
    ] {
        for _ in 0..20 {
            let mut stream = TcpStream::connect(address).unwrap();
            // The server may hang up while it is still being talked to.
            let _ = stream.write_all(&beginning);
            open.push(stream);
        }
    }

    let killed = bench.lever("kill new-checkout -e prod --wait=5s");
    assert!(killed.stdout.contains("closed in prod"), "{killed}");
    assert!(killed.took < Duration::from_secs(7), "{killed}");
    evaluator.until(false);
    // Whoever only opened a stream is no evaluator: it never said hello.
    let fleet = bench.json("fleet -e prod");
    assert_eq!(
        fleet["evaluators"].as_array().unwrap().len(),
        1,
        "{fleet:#}"
    );
    let killed = killed.exits(0);
    assert!(
        killed.stdout.contains("1/1 evaluators confirmed"),
        "{killed}"
    );

    let grown = resident_kib(bench.server().id()).saturating_sub(memory);
    assert!(
        grown < 64 * 1024,
        "{grown} KiB for {} connections",
        open.len()
    );
    assert!(!bench.server().log().contains("panicked"));
}

#[test]
fn what_is_not_http_gets_an_answer_or_an_end_and_never_data() {
    let bench = Bench::with_open_checkout();
    for request in [
        "GET /api/v1/flags HTTP/1.1\r\nhost: x\r\n\r\n",
        "GET //api/v1/flags HTTP/1.1\r\nhost: x\r\n\r\n",
        "GET /api/v1/%66lags HTTP/1.1\r\nhost: x\r\n\r\n",
        "GET /api/v1/../v1/flags HTTP/1.1\r\nhost: x\r\n\r\n",
        "GET /API/V1/FLAGS HTTP/1.1\r\nhost: x\r\n\r\n",
        "GET /api/v1/flags;x=1 HTTP/1.1\r\nhost: x\r\n\r\n",
        "GET /api/v1/flags HTTP/1.1\r\nhost: x\r\nauthorization: Bearer\r\n\r\n",
        "GET /api/v1/flags HTTP/1.1\r\nhost: x\r\nauthorization: Basic YTpi\r\n\r\n",
        "GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n",
        "get / http/1.1\r\n\r\n",
        "\0\0\0\0\r\n\r\n",
    ] {
        let mut stream = TcpStream::connect(bench.server().address()).unwrap();
        stream
            .set_read_timeout(Some(crate::bench::PATIENCE))
            .unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        let answer = String::from_utf8_lossy(&answer);
        let status = answer.split(' ').nth(1).unwrap_or_default();
        assert!(
            ["", "400", "401", "404"].contains(&status),
            "{request:?}: {answer}"
        );
        assert!(!answer.contains("new-checkout"), "{request:?}: {answer}");
    }
}

fn resident_kib(id: u32) -> u64 {
    crate::measure::resident_kib(id)
}
