//! A client that holds one of everything until it is killed: `idle-client <directory> <stream>`.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a panic ends the process, and the test sees it

use gannet::{Aeron, Context};
use std::io::stdin;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [directory, stream_id] = &arguments[..] else { panic!("two arguments") };
    let stream_id: i32 = stream_id.parse().unwrap();
    let aeron = Aeron::connect(Context::defaults().aeron_dir(directory)).unwrap();
    let publication = aeron.add_publication("aeron:ipc?term-length=64k", stream_id).unwrap();
    let exclusive = aeron.add_exclusive_publication("aeron:ipc?term-length=64k", stream_id).unwrap();
    let subscription = aeron.add_subscription("aeron:ipc", stream_id + 1).unwrap();
    let counter = aeron.add_counter(1100, b"key", "an idle client's counter").unwrap();
    println!("client {}", aeron.client_id());
    println!("logs {} {}", publication.registration_id(), exclusive.registration_id());
    let _ = stdin().lines().next();
    drop((publication, exclusive, subscription, counter));
    aeron.close();
    println!("bye");
}
