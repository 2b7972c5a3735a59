use super::*;
use proptest::prelude::*;

/// A program with the structure of the tutorial's server.
const SERVER: &str = "\
from mpython import *
import socket
try:
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind((ip, 6000))
    while True:
        data, addr = s.recvfrom(1024)
        oled.DispChar(data.decode(), 0, 15)

# in case of an error: close # try: again
except:
    if (s):
        s.close()
    mywifi.disconnectWiFi()
";

#[test]
fn a_server_that_hides_its_error_is_recognised() {
    assert_eq!(of_end(SERVER.as_bytes(), None), Some(Symptom::SilentEnd));
    for (from, to) in [
        ("while True:", "while 1:"),
        ("while True:", "while(True):"),
        ("while True:", "while True : # for ever"),
        ("except:", "except :"),
        ("s.recvfrom(1024)", "s.recv(1024)"),
    ] {
        let source = SERVER.replace(from, to).replace('\n', "\r\n");
        assert!(ends_silently(&source), "{to}");
    }
}

#[test]
fn the_watched_names_are_those_assigned_in_the_try() {
    assert_eq!(watched_names(SERVER), ["addr", "data", "s"]);
    assert!(watched_names("s = 1\nexcept:\n").is_empty());
    assert!(watched_names("try:\n if a == 1: pass\n f(b=2)\nexcept:\n pass\n").is_empty());
}

#[test]
fn programs_that_end_or_report_their_error_have_no_symptom() {
    for (from, to) in [
        // These handlers report the error.
        ("except:", "except Exception as e:"),
        ("except:", "except OSError:"),
        ("    mywifi.disconnectWiFi()", "    raise"),
        (
            "    mywifi.disconnectWiFi()",
            "    import sys; sys.print_exception(sys.exc_info()[1])",
        ),
        // These programs end by themselves.
        ("while True:", "for i in range(10):"),
        (
            "        data, addr",
            "        if done: break\n        data, addr",
        ),
        // Not UDP.
        ("socket.SOCK_DGRAM", "socket.SOCK_STREAM"),
        // In a comment and in a string.
        ("except:", "finally: # except:"),
        ("except:", "finally:\n    print('#', 'except:')"),
    ] {
        let mut source = SERVER.replace(from, to);
        if to.contains("SOCK_STREAM") {
            source = source.replace("recvfrom", "recv");
        }
        assert!(!ends_silently(&source), "{source}");
    }
}

#[test]
fn a_hidden_missing_oled_is_recognised() {
    for source in [
        SERVER,
        "from mpython import oled\ntry:\n oled.fill(0)\nexcept: pass\n",
        "import mpython\nwhile True:\n try:\n  mpython.oled.show()\n except:\n  pass\n",
        "try:\n from mpython import oled, rgb\nexcept:\n print('no')\n",
    ] {
        assert!(hides_missing_oled(source.as_bytes()), "{source}");
    }
    for source in [
        // The exception is shown.
        "from mpython import *\noled.fill(0)\n",
        "from mpython import *\ntry: oled.fill(0)\nexcept NameError: pass\n",
        "from mpython import *\ntry:\n oled.fill(0)\nexcept:\n raise\n",
        // The program is prepared for a board without it.
        "try:\n from mpython import oled\nexcept:\n oled = None\nif oled: oled.show()\n",
        "try:\n from lv_oled import oled\nexcept:\n from mpython import oled\n",
        "from ssd1306 import SSD1306_I2C as oled\ntry: oled.x()\nexcept: pass\n",
        // Something else is called so.
        "my_oled.show()\ntry: x()\nexcept: pass\n# oled.show()\n",
    ] {
        assert!(!hides_missing_oled(source.as_bytes()), "{source}");
    }
}

#[test]
fn enomem_counts_only_if_sendto_raised_it() {
    let source = b"import socket\nb = bytearray(9)\nwhile True:\n    s.sendto(b, dst)\n";
    let traceback = |line: usize, end: &str| {
        format!(
            "Traceback (most recent call last):\r\n  File \"<stdin>\", line {line}, in <module>\r\n{end}\r\n"
        )
    };
    for (line, end, expected) in [
        (4, "OSError: [Errno 12] ENOMEM", Some(Symptom::NoArp)),
        (4, "OSError: 12", Some(Symptom::NoArp)),
        (2, "OSError: 12", None),
        (4, "OSError: [Errno 118] EHOSTUNREACH", None),
        (4, "OSError: 120", None),
        (400, "OSError: 12", None),
        (4, "MemoryError: ", None),
    ] {
        let found = of_end(source, Some(&traceback(line, end)));
        assert_eq!(found, expected, "{line} {end}");
    }
}

proptest! {
    #[test]
    fn any_source_and_traceback_are_parsed_without_a_panic(source in ".{0,300}", traceback in ".{0,200}") {
        let _ = of_end(source.as_bytes(), None);
        let _ = hides_missing_oled(source.as_bytes());
        let _ = of_end(source.as_bytes(), Some(&traceback));
    }
}
