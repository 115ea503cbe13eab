//! Property files as the C driver reads them. `[any]`
//!
//! Mirrors `aeron_properties_util.c`, which knows a part of Java's syntax: `name=value` or `name:value`; a line that
//! begins with `#` or `!` is a comment; a value that ends in a backslash goes on in the next line, whose leading blanks
//! do not count. There are no escapes, a name is all that stands before the separator, blanks around it do not count,
//! and blanks after the value do. A file's last line may lack its newline, which the C driver refuses.

/// A property and the line, from 1, on which its value ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Property {
    /// The name as written.
    pub name: String,
    /// The value as written; empty where nothing stood.
    pub value: String,
    /// The line.
    pub line: usize,
}

/// What a text of properties holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Properties {
    /// In the order of the text; a name may come twice.
    pub properties: Vec<Property>,
    /// The name of a property whose value was to go on where the text ended; the C driver drops it silently.
    pub unfinished: Option<String>,
}

/// The line, from 1, that is no property.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MalformedLine(pub usize);

/// Reads a text of properties.
///
/// # Errors
/// When a line has no separator, or no name before it.
pub fn parse(text: &str) -> Result<Properties, MalformedLine> {
    let mut properties = Properties::default();
    let mut open: Option<(String, String)> = None;
    for (index, line) in text.split('\n').enumerate() {
        let line = line.strip_suffix('\r').unwrap_or(line);
        let content = line.trim_start_matches(BLANKS);
        if content.is_empty() || content.starts_with(['#', '!']) {
            // Also between the lines of a value, which then goes on behind it.
            continue;
        }
        let (name, mut value, rest) = match open.take() {
            Some((name, value)) => (name, value, content),
            None => {
                let separator = content.find(['=', ':']).ok_or(MalformedLine(index + 1))?;
                let name = content[..separator].trim_end_matches(BLANKS);
                if name.is_empty() {
                    return Err(MalformedLine(index + 1));
                }
                (name.to_owned(), String::new(), content[separator + 1..].trim_start_matches(BLANKS))
            }
        };
        if let Some(part) = rest.strip_suffix('\\') {
            value.push_str(part);
            open = Some((name, value));
        } else {
            value.push_str(rest);
            properties.properties.push(Property { name, value, line: index + 1 });
        }
    }
    properties.unfinished = open.map(|(name, _)| name);
    Ok(properties)
}

const BLANKS: [char; 2] = [' ', '\t'];

/// The variable that a property sets: dots become underscores, letters upper case.
#[must_use]
pub fn variable_name(property: &str) -> String {
    property.chars().map(|c| if c == '.' { '_' } else { c.to_ascii_uppercase() }).collect()
}

/// The property that sets a variable, as Aeron's documentation spells it.
#[must_use]
pub fn property_name(variable: &str) -> String {
    variable.chars().map(|c| if c == '_' { '.' } else { c.to_ascii_lowercase() }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn pairs(text: &str) -> Vec<(String, String, usize)> {
        parse(text).unwrap().properties.into_iter().map(|p| (p.name, p.value, p.line)).collect()
    }

    fn pair(name: &str, value: &str, line: usize) -> (String, String, usize) {
        (name.to_owned(), value.to_owned(), line)
    }

    #[test]
    fn names_end_at_the_first_separator_and_values_at_the_end_of_the_line() {
        assert_eq!(
            pairs("# a comment\n  ! another\n\naeron.dir=/tmp/a=b\r\n\taeron.mtu.length : 8k \nlast="),
            [pair("aeron.dir", "/tmp/a=b", 4), pair("aeron.mtu.length", "8k ", 5), pair("last", "", 6)]
        );
        assert_eq!(pairs(""), []);
        assert_eq!(pairs("a b = c # d"), [pair("a b", "c # d", 1)]);
        assert_eq!(pairs("path=C\\x"), [pair("path", "C\\x", 1)]);
    }

    #[test]
    fn a_backslash_at_the_end_continues_the_value_over_blank_lines_and_comments() {
        assert_eq!(pairs("a=1\\\n   2\\\n\n# no\n3\nb=4"), [pair("a", "123", 5), pair("b", "4", 6)]);
        assert_eq!(pairs("a=\\\n=1"), [pair("a", "=1", 2)]);
        let open = parse("x=1\na=1\\\n").unwrap();
        assert_eq!((open.properties.len(), open.unfinished.as_deref()), (1, Some("a")));
    }

    #[test]
    fn a_line_without_separator_or_name_is_refused_by_number() {
        for (text, line) in [("a", 1), ("\n\na b\n", 3), ("=1", 1), ("a=1\n : 2", 2)] {
            assert_eq!(parse(text), Err(MalformedLine(line)), "{text:?}");
        }
    }

    #[test]
    fn names_map_to_variables_as_aeronmd_maps_them() {
        assert_eq!(variable_name("aeron.socket.so_rcvbuf"), "AERON_SOCKET_SO_RCVBUF");
        assert_eq!(variable_name("AERON_DIR"), "AERON_DIR");
        assert_eq!(property_name("AERON_IPC_TERM_BUFFER_LENGTH"), "aeron.ipc.term.buffer.length");
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "[ab=:\\\\#! \t\r\n.]{0,60}") {
            if let Ok(properties) = parse(&text) {
                for property in properties.properties {
                    prop_assert!(!property.name.is_empty() && !property.name.contains(['=', ':', '\n']));
                    prop_assert!(!property.value.contains('\n') && property.line <= text.split('\n').count());
                }
            }
        }

        #[test]
        fn what_is_written_is_read_again(
            values in proptest::collection::vec("[a-z0-9=:#!/][a-z0-9=:#!/ ]{0,20}", 1..6),
        ) {
            let text: String = values.iter().enumerate().map(|(i, v)| format!("p{i} = {v}\n")).collect();
            let read: Vec<String> = parse(&text).unwrap().properties.into_iter().map(|p| p.value).collect();
            prop_assert_eq!(read, values);
        }
    }
}
