//! Commands of clients and responses of drivers: four bytes of type id, then the message. What can be read is written
//! and read again, and must be the same.
#![no_main]

use gannet_core::command::{Command, Response};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Some((type_id, message)) = bytes.split_first_chunk::<4>() else { return };
    let type_id = i32::from_le_bytes(*type_id);
    match Command::parse(type_id, message) {
        Ok(command) => {
            let mut written = vec![0; command.encoded_length()];
            assert_eq!(command.encode(&mut written), Ok(written.len()));
            assert_eq!(Command::parse(command.type_id(), &written), Ok(command));
            let short = written.len() - 1;
            assert!(command.encode(&mut written[..short]).is_err());
        }
        Err(error) => assert!(matches!(error.code().code(), 1 | 6 | 7) && !error.to_string().is_empty()),
    }
    if let Ok(response) = Response::parse(type_id, message) {
        let mut written = vec![0; response.encoded_length()];
        assert_eq!(response.encode(&mut written), Ok(written.len()));
        assert_eq!(Response::parse(response.type_id(), &written), Ok(response));
    }
});
