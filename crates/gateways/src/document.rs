//! Brazilian tax numbers: CPF of people, CNPJ of companies, both with two check digits.

/// The number in its bare form: 11 digits for a CPF; for a CNPJ 12 digits or capitals and 2 digits.
///
/// Dots, dashes, slashes and blanks are passed over. Wrong check digits, another length and one repeated digit are
/// nobody's number and give `None`.
pub(crate) fn normalised(text: &str) -> Option<String> {
    let bare: String =
        text.chars().filter(|c| !matches!(c, '.' | '-' | '/' | ' ')).map(|c| c.to_ascii_uppercase()).collect();
    let valid = match bare.len() {
        11 => is_cpf(bare.as_bytes()),
        14 => is_cnpj(bare.as_bytes()),
        _ => false,
    };
    valid.then_some(bare)
}

fn is_cpf(text: &[u8]) -> bool {
    text.iter().all(u8::is_ascii_digit)
        && text.iter().any(|digit| *digit != text[0])
        && check_digit(&text[..9], |place| 10 - place) == text[9]
        && check_digit(&text[..10], |place| 11 - place) == text[10]
}

/// Weights run from 2 upwards from the right and begin again after 9. A letter counts as its ASCII code less 48.
fn is_cnpj(text: &[u8]) -> bool {
    let weights = |length: u32| move |place: u32| (length - 1 - place) % 8 + 2;
    text[..12].iter().all(|b| b.is_ascii_digit() || b.is_ascii_uppercase())
        && text[12..].iter().all(u8::is_ascii_digit)
        && text.iter().any(|digit| *digit != text[0])
        && check_digit(&text[..12], weights(12)) == text[12]
        && check_digit(&text[..13], weights(13)) == text[13]
}

fn check_digit(text: &[u8], weight: impl Fn(u32) -> u32) -> u8 {
    let sum: u32 = text.iter().zip(0..).map(|(byte, place)| u32::from(byte - b'0') * weight(place)).sum();
    match sum % 11 {
        0 | 1 => b'0',
        // At most 11 - 2.
        rest => b'0' + u8::try_from(11 - rest).unwrap_or(0),
    }
}

#[cfg(test)]
mod tests {
    use super::normalised;

    #[test]
    fn valid_numbers_are_bared_and_others_are_nobodys() {
        assert_eq!(normalised("529.982.247-25").as_deref(), Some("52998224725"));
        assert_eq!(normalised("11.222.333/0001-81").as_deref(), Some("11222333000181"));
        assert_eq!(normalised("12.abc.345/01de-35").as_deref(), Some("12ABC34501DE35"));
        for bad in [
            "",
            "52998224724",
            "11111111111",
            "00000000000000",
            "11222333000180",
            "123",
            "5299822472A",
            "12ABC34501DEA5",
            "ção",
        ] {
            assert_eq!(normalised(bad), None, "{bad}");
        }
    }
}
