//! A program that prints the value of an expression: as JSON if JSON can hold it, else as Python text (`repr`).
//!
//! The board evaluates the expression once, in the user's names, and converts the value itself, because only the board
//! knows its type. The program binds no name.

use crate::board::literal;

/// Converts `value` to JSON or to Python text, and prints it.
const SCRIPT: &str = include_str!("scripts/minified/show_value.py");

/// The program for an expression.
#[must_use]
pub(crate) fn program(expression: &str) -> Vec<u8> {
    // `eval` takes a blank at the beginning for an indentation.
    let expression = literal::quoted(expression.trim());
    let script = literal::quoted(SCRIPT);
    format!("exec({script},{{'value':eval({expression})}})\n").into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expression_is_one_literal_whatever_is_in_it() {
        let program = String::from_utf8(program(" '你'+\"\\n\" ")).unwrap();
        assert!(
            program.ends_with(",{'value':eval('\\'你\\'+\"\\\\n\"')})\n"),
            "{program}"
        );
        assert_eq!(program.lines().count(), 1);
        // One piece is enough, so udpcli need not ask for the board's free memory.
        assert!(program.len() < 3000, "{}", program.len());
    }
}
