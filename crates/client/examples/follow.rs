//! Follows a server and prints what a flag answers whenever something changed:
//!
//! ```text
//! LEVER_URL=http://127.0.0.1:5387 LEVER_TOKEN=… cargo run -p leverframe --example follow -- new-checkout u-1
//! r7 new-checkout true
//! r8 new-checkout false
//! ```
#![expect(clippy::print_stdout, reason = "printing is what it is for")]

use leverframe::{Client, Context};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let flag = arguments.next().ok_or("usage: follow FLAG [UNIT]")?;
    let unit = arguments.next().unwrap_or_else(|| "u-1".to_owned());

    let client = Client::builder().application("follow").connect().await?;
    let mut changes = client.changes();
    let context = Context::new(&unit);
    loop {
        let revision = *changes.borrow_and_update();
        println!("r{revision} {flag} {}", client.is_on(&flag, &context));
        tokio::select! {
            changed = changes.changed() => changed?,
            _ = tokio::signal::ctrl_c() => break,
        }
    }
    client.shutdown().await;
    Ok(())
}
