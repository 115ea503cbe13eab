//! Tests of mapped files, their memory and their space. `[any]`

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;

use gannet_core::sync::{Bytes, Memory, Ordering};

use crate::{FileError, MappedFile, Region, Sharing, Space};

/// A directory under `/tmp` and one in the shared-memory file system, where Aeron's files live.
fn directories() -> [tempfile::TempDir; 2] {
    [tempfile::tempdir().unwrap(), tempfile::Builder::new().prefix("gannet-ipc-").tempdir_in("/dev/shm").unwrap()]
}

fn sparse(path: &Path, length: u64) -> Region {
    MappedFile::create(path, length, Space::Sparse, Sharing::Owner).unwrap()
}

#[test]
fn a_new_file_is_zeroed_private_and_as_long_as_asked() {
    for directory in directories() {
        for (name, space) in [("sparse", Space::Sparse), ("reserved", Space::Reserved)] {
            let path = directory.path().join(name);
            let region = MappedFile::create(&path, 3 * 65_536 + 4096, space, Sharing::Owner).unwrap();
            let metadata = fs::metadata(&path).unwrap();
            assert_eq!(metadata.len(), 3 * 65_536 + 4096);
            assert_eq!(metadata.permissions().mode() & 0o7777, 0o600);
            assert_eq!(region.len(), 3 * 65_536 + 4096);
            let mut bytes = vec![1; region.len()];
            region.read_racing(0, &mut bytes);
            assert!(bytes.iter().all(|byte| *byte == 0));
            let taken = metadata.blocks() * 512;
            match space {
                Space::Sparse => assert!(taken < 65_536, "{taken} bytes taken by a sparse file"),
                Space::Reserved => assert!(taken >= metadata.len(), "only {taken} bytes taken"),
            }
        }
    }
}

#[test]
fn widening_sets_the_mode_whatever_the_umask() {
    let directory = tempfile::tempdir().unwrap();
    for sharing in [Sharing::Group, Sharing::World] {
        let path = directory.path().join(sharing.to_string());
        MappedFile::create(&path, 4096, Space::Sparse, sharing).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o7777, sharing.file_mode());
    }
}

#[test]
fn a_name_that_exists_is_not_reused_even_as_a_dangling_link() {
    let directory = tempfile::tempdir().unwrap();
    let (file, link) = (directory.path().join("file"), directory.path().join("link"));
    fs::write(&file, "precious").unwrap();
    symlink(directory.path().join("elsewhere"), &link).unwrap();
    for path in [&file, &link] {
        let error = MappedFile::create(path, 4096, Space::Sparse, Sharing::Owner).unwrap_err();
        assert!(error.to_string().contains("cannot create"), "{error}");
        assert_eq!(error.path(), path);
    }
    assert_eq!(fs::read_to_string(&file).unwrap(), "precious");
    assert!(!directory.path().join("elsewhere").exists());
}

#[test]
fn what_is_no_regular_file_is_not_opened() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("file");
    sparse(&file, 4096);
    let link = directory.path().join("link");
    symlink(&file, &link).unwrap();
    let pipe = directory.path().join("pipe");
    nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).unwrap();
    let empty = directory.path().join("empty");
    fs::write(&empty, "").unwrap();

    assert!(matches!(MappedFile::open(&link), Err(FileError::Io { operation: "open", .. })));
    assert!(matches!(MappedFile::open(&pipe), Err(FileError::NotRegular { .. })));
    assert!(matches!(MappedFile::open_read_only(directory.path()), Err(FileError::NotRegular { .. })));
    assert!(matches!(MappedFile::open(&empty), Err(FileError::TooShort { length: 0, .. })));
    assert!(MappedFile::open(&directory.path().join("absent")).unwrap_err().is_absent());
}

#[test]
fn two_mappings_and_a_slice_see_one_memory() {
    for directory in directories() {
        let path = directory.path().join("file");
        let mine = sparse(&path, 8192);
        let theirs = MappedFile::open(&path).unwrap();
        let slice = theirs.slice(4096, 4096);
        mine.store_i64(4104, -7, Ordering::Release);
        assert_eq!(slice.load_i64(8, Ordering::Acquire), -7);
        assert_eq!(slice.fetch_add_i64(8, 2), -7);
        assert!(!mine.compare_exchange_i64(4104, -7, 0));
        assert_eq!(mine.load_i64(4104, Ordering::Relaxed), -5);
        slice.write_racing(16, b"gannet");
        // SAFETY: nobody writes the range any more.
        assert_eq!(unsafe { mine.bytes(4112, 6) }, b"gannet");
    }
}

#[test]
fn a_slice_keeps_a_deleted_file_mapped() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("file");
    let region = sparse(&path, 8192);
    assert!(region.is_current());
    let slice = region.slice(4096, 8);
    drop(region);
    fs::remove_file(&path).unwrap();
    assert!(!slice.is_current());
    sparse(&path, 8192);
    assert!(!slice.is_current(), "another file of that name");
    slice.store_i32(0, 1, Ordering::Relaxed);
    assert_eq!(slice.clone().load_i32(0, Ordering::Relaxed), 1);
}

#[test]
#[should_panic(expected = "8 bytes at offset 4096 lie outside")]
fn a_word_beyond_the_file_panics() {
    let directory = tempfile::tempdir().unwrap();
    sparse(&directory.path().join("file"), 4096).load_i64(4096, Ordering::Relaxed);
}

#[test]
fn a_read_only_mapping_follows_the_writer() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("file");
    let region = sparse(&path, 4096);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o400)).unwrap();
    let view = MappedFile::open_read_only(&path).unwrap();
    region.store_i64(64, 42, Ordering::Release);
    region.write_racing(72, b"text");
    let slice = view.slice(64, 16);
    assert_eq!(slice.load_i64(0, Ordering::Acquire), 42);
    assert_eq!(slice.load_i32(4, Ordering::SeqCst), 0);
    assert_eq!(slice.load_u8(0, Ordering::Relaxed), 42);
    let mut text = [0; 4];
    slice.read_racing(8, &mut text);
    assert_eq!(&text, b"text");
}

#[test]
fn every_store_to_a_read_only_mapping_panics_and_changes_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("file");
    sparse(&path, 4096);
    let view = MappedFile::open_read_only(&path).unwrap();
    let stores: [&dyn Fn(); 9] = [
        &|| view.store_i32(0, 1, Ordering::Relaxed),
        &|| view.store_i64(0, 1, Ordering::Relaxed),
        &|| view.store_u8(0, 1, Ordering::Relaxed),
        &|| {
            view.fetch_add_i32(0, 1);
        },
        &|| {
            view.fetch_add_i64(0, 1);
        },
        &|| {
            view.compare_exchange_i32(0, 0, 1);
        },
        &|| {
            view.compare_exchange_i64(0, 0, 1);
        },
        &|| {
            // SAFETY: nobody else has the file.
            unsafe { view.write_bytes(0, &[1]) };
        },
        &|| {
            // SAFETY: as above.
            unsafe { view.zero(0, 1) };
        },
    ];
    for store in stores {
        let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(store)).unwrap_err();
        let text = panic.downcast_ref::<String>().unwrap();
        assert!(text.ends_with("is mapped for reading only and must not be written"), "{text}");
    }
    assert!(fs::read(&path).unwrap().iter().all(|byte| *byte == 0));
}

#[test]
fn reserving_takes_whole_pages_and_keeps_their_content() {
    for directory in directories() {
        let path = directory.path().join("file");
        let region = sparse(&path, 64 * 4096);
        region.store_i64(8 * 4096, 5, Ordering::Relaxed);
        region.slice(4096, 32 * 4096).reserve(7 * 4096 - 8, 2 * 4096).unwrap();
        let taken = fs::metadata(&path).unwrap().blocks() * 512;
        assert!((3 * 4096..32 * 4096).contains(&taken), "{taken} bytes taken");
        assert_eq!(region.load_i64(8 * 4096, Ordering::Relaxed), 5);
        region.reserve(0, 0).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().len(), 64 * 4096);
    }
}

#[test]
fn reserving_works_without_the_files_name() {
    for directory in directories() {
        let path = directory.path().join("file");
        let region = sparse(&path, 64 * 4096);
        fs::rename(&path, directory.path().join("moved")).unwrap();
        fs::write(&path, "another file").unwrap();
        region.reserve(0, 4 * 4096).unwrap();
        assert!(fs::metadata(directory.path().join("moved")).unwrap().blocks() * 512 >= 4 * 4096);
        assert_eq!(fs::read_to_string(&path).unwrap(), "another file");
    }
}

#[test]
#[should_panic(expected = "lie outside a region of 4096 bytes")]
fn reserving_beyond_the_region_panics() {
    let directory = tempfile::tempdir().unwrap();
    let _ = sparse(&directory.path().join("file"), 8192).slice(0, 4096).reserve(4096, 1);
}
