//! The output of the tutorial's server, `print('received:', data, 'from', address)`, with Python's `repr` of bytes.
//!
//! MicroPython's `mp_str_print_quoted` (py/objstr.c) and CPython's `bytes.__repr__` print the same.

use crate::datagram::Datagram;
use crate::text::hex::digits;

/// Appends the line for one datagram.
pub(super) fn received(datagram: &Datagram<'_>, peer_ip: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(b"received: ");
    bytes(datagram.payload, out);
    out.extend_from_slice(b" from ('");
    out.extend_from_slice(peer_ip.as_bytes());
    out.extend_from_slice(b"', ");
    out.extend_from_slice(itoa::Buffer::new().format(datagram.peer.port()).as_bytes());
    out.extend_from_slice(b")\n");
}

/// Python's `repr` of bytes: a literal in ASCII, which Python reads back as the same bytes.
#[cfg(feature = "board")]
pub(crate) fn repr(payload: &[u8]) -> String {
    let mut out = Vec::with_capacity(payload.len() + 3);
    bytes(payload, &mut out);
    String::from_utf8_lossy(&out).into_owned()
}

/// Appends the literal.
fn bytes(payload: &[u8], out: &mut Vec<u8>) {
    // Python takes single quotes, unless that would need an escape and double ones would not.
    let quote = if payload.contains(&b'\'') && !payload.contains(&b'"') {
        b'"'
    } else {
        b'\''
    };
    out.extend_from_slice(&[b'b', quote]);
    for &byte in payload {
        match byte {
            b'\\' => out.extend_from_slice(br"\\"),
            b'\n' => out.extend_from_slice(br"\n"),
            b'\r' => out.extend_from_slice(br"\r"),
            b'\t' => out.extend_from_slice(br"\t"),
            _ if byte == quote => out.extend_from_slice(&[b'\\', byte]),
            0x20..0x7f => out.push(byte),
            _ => {
                out.extend_from_slice(br"\x");
                out.extend_from_slice(&digits(byte));
            }
        }
    }
    out.push(quote);
}

#[cfg(test)]
mod tests {
    use super::bytes;

    fn repr(payload: &[u8]) -> String {
        let mut out = Vec::new();
        bytes(payload, &mut out);
        String::from_utf8(out).unwrap()
    }

    /// The expected values are the output of `python3 -c 'print(..)'`.
    #[test]
    fn bytes_are_written_as_python_writes_them() {
        assert_eq!(repr(b"a'b"), r#"b"a'b""#);
        assert_eq!(repr(b"a\"b"), r#"b'a"b'"#);
        assert_eq!(repr(b"a'\"b"), r#"b'a\'"b'"#);
        assert_eq!(repr(b"\x00\x7f\xff\t\\"), r"b'\x00\x7f\xff\t\\'");
        assert_eq!(repr("你".as_bytes()), r"b'\xe4\xbd\xa0'");
        assert_eq!(repr(b""), "b''");
    }
}
