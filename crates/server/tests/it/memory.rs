use std::io::{Read, Write};
use std::net::TcpStream;

use leverframe_wire::frame::SUBPROTOCOL;

use crate::world::World;

/// The most one connected evaluator may cost, in bytes.
const EVALUATOR_BYTES_MAX: usize = 8 * 1024;

/// What this process has in memory, in bytes.
fn resident_bytes() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .unwrap();
    let kib: usize = line.trim().trim_end_matches(" kB").parse().unwrap();
    kib * 1024
}

/// An evaluator that says hello over a plain socket and keeps nothing, so that the process's memory
/// is the server's.
fn follow(world: &World, token: &str, number: usize) -> TcpStream {
    let mut socket = TcpStream::connect(world.address).unwrap();
    let request = format!(
        "GET /api/v1/stream HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
         authorization: Bearer {token}\r\nsec-websocket-version: 13\r\n\
         sec-websocket-protocol: {SUBPROTOCOL}\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    socket.write_all(request.as_bytes()).unwrap();
    let mut answer = [0; 12];
    socket.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 101");
    let hello = format!(
        "{{\"type\":\"hello\",\"instance\":\"i-{number:05}\",\"application\":\"shop\",\"build\":\"b1\",\"client\":\"c\"}}"
    );
    let length = u8::try_from(hello.len()).unwrap();
    assert!(length < 126);
    // Masked with zeros, as a client has to mask.
    let header = [0x81, 0x80 | length, 0, 0, 0, 0];
    socket
        .write_all(&[&header, hello.as_bytes()].concat())
        .unwrap();
    socket
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "measures the whole process, so it has to run alone"]
async fn a_connected_evaluator_costs_little_memory() {
    const WARM: usize = 200;
    const MEASURED: usize = 3_000;
    let world = World::new().await;
    let token = world.token("evaluator", &["prod"], &[]).await;
    let joined = |count: usize| {
        world.fleet_until("prod", move |fleet| {
            fleet["evaluators"].as_array().unwrap().len() == count
        })
    };
    let mut sockets: Vec<_> = (0..WARM)
        .map(|number| follow(&world, &token, number))
        .collect();
    joined(WARM).await;
    let before = resident_bytes();
    sockets.extend((WARM..WARM + MEASURED).map(|number| follow(&world, &token, number)));
    let streams = format!("lever_streams {}\n", WARM + MEASURED);
    while !world.get("/metrics").send().await.text.contains(&streams) {}
    let each = resident_bytes().saturating_sub(before) / MEASURED;
    println!("one connected evaluator takes {each} bytes");
    assert!(
        each <= EVALUATOR_BYTES_MAX,
        "one connected evaluator takes {each} bytes"
    );
}
