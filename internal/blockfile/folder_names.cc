#include "internal/blockfile/folder_names.h"

#include <algorithm>
#include <array>
#include <optional>

#include "internal/base/utf8.h"

namespace spillway::blockfile {
namespace {

constexpr std::string_view kNothing = "%,";    // decodes to nothing
constexpr std::string_view kContinued = "%_";  // the next component goes on
constexpr std::string_view kTemporary = "%~";  // and 16 digits
constexpr std::string_view kDigits = "0123456789ABCDEF";
constexpr size_t kTemporaryDigits = 16;

bool IsEscapedAnywhere(uint8_t byte) {
  constexpr std::string_view kSpecial = "\\:*?\"<>|%";
  return byte < 0x20 || byte == 0x7f ||
         kSpecial.find(static_cast<char>(byte)) != std::string_view::npos;
}

void AppendEscaped(uint8_t byte, std::string* to) {
  *to += {'%', kDigits[byte >> 4], kDigits[byte & 15]};
}

// A part of a name as it is written, in units that must not be cut.
std::vector<std::string> EscapeUnits(std::string_view part) {
  const bool utf8 = base::IsUtf8(part);
  const bool dots = part == "." || part == "..";
  std::vector<std::string> units;
  for (size_t i = 0; i < part.size();) {
    const auto byte = static_cast<uint8_t>(part[i]);
    const bool last = i + 1 == part.size();
    const size_t bytes = utf8 ? base::CharacterLength(part.substr(i)) : 1;
    const bool escaped = IsEscapedAnywhere(byte) || (byte >= 0x80 && !utf8) ||
                         (byte == '.' && (dots || last)) || (byte == ' ' && last);
    units.emplace_back();
    if (escaped) {
      AppendEscaped(byte, &units.back());
    } else {
      units.back() = part.substr(i, bytes);
    }
    i += bytes;
  }
  return units;
}

std::vector<std::string> EncodePart(std::string_view part) {
  const std::vector<std::string> units = EscapeUnits(part);
  size_t left = 0;
  for (const std::string& unit : units) {
    left += unit.size();
  }
  if (left == 0) {
    return {std::string(kNothing)};
  }
  std::vector<std::string> components(1);
  bool last = left <= kComponentBytesMost;
  for (const std::string& unit : units) {
    if (!last && components.back().size() + unit.size() + kContinued.size() > kComponentBytesMost) {
      components.back() += kContinued;
      components.emplace_back();
      last = left <= kComponentBytesMost;
    }
    components.back() += unit;
    left -= unit.size();
  }
  return components;
}

// No export writes other digits than 0 to 9 and A to F, or a byte 0.
std::optional<std::string> Unescape(std::string_view text) {
  std::string bytes;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      bytes += text[i];
      continue;
    }
    const size_t high = i + 1 < text.size() ? kDigits.find(text[i + 1]) : std::string_view::npos;
    const size_t low = i + 2 < text.size() ? kDigits.find(text[i + 2]) : std::string_view::npos;
    if (high == std::string_view::npos || low == std::string_view::npos) {
      return std::nullopt;
    }
    if (high + low == 0) {
      return std::nullopt;
    }
    bytes += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return bytes;
}

// A component taken apart.
struct Piece {
  std::string_view body;
  bool continued = false;
  size_t form = 0;
};

Piece TakeApart(std::string_view component) {
  Piece piece{component};
  if (piece.body.ends_with(kContinued)) {
    piece.body.remove_suffix(kContinued.size());
    piece.continued = true;
  }
  while (piece.body.ends_with(kNothing)) {
    piece.body.remove_suffix(kNothing.size());
    ++piece.form;
  }
  if (piece.body.empty() && !piece.continued && piece.form > 0) {
    --piece.form;  // an empty part needs one
  }
  return piece;
}

// The part that begins with the first of these components, and how many of them it takes; nullopt:
// no part is written this way.
struct Part {
  std::string bytes;
  size_t components = 0;
};
std::optional<Part> DecodePart(std::span<const std::string> components) {
  std::string body;
  std::vector<size_t> forms;
  for (bool goes_on = true; goes_on;) {
    if (forms.size() == components.size()) {
      return std::nullopt;
    }
    const Piece piece = TakeApart(components[forms.size()]);
    if (piece.form >= kForms) {
      return std::nullopt;
    }
    body += piece.body;
    forms.push_back(piece.form);
    goes_on = piece.continued;
  }
  std::optional<std::string> bytes = Unescape(body);
  if (!bytes.has_value()) {
    return std::nullopt;
  }
  const std::vector<std::string> written = EncodePart(*bytes);
  if (written.size() != forms.size()) {
    return std::nullopt;
  }
  for (size_t i = 0; i < forms.size(); ++i) {
    if (OtherForm(written[i], forms[i]) != components[i]) {
      return std::nullopt;
    }
  }
  return Part{std::move(*bytes), forms.size()};
}

}  // namespace

std::vector<std::string> EncodeName(std::string_view name) {
  std::vector<std::string> components;
  for (bool more = true; more;) {
    const size_t slash = name.find('/');
    more = slash != std::string_view::npos;
    for (std::string& component : EncodePart(name.substr(0, slash))) {
      components.push_back(std::move(component));
    }
    name.remove_prefix(more ? slash + 1 : name.size());
  }
  return components;
}

std::string DecodePath(std::span<const std::string> components) {
  std::string name;
  for (bool first = true; !components.empty(); first = false) {
    name += first ? "" : "/";
    if (const std::optional<Part> part = DecodePart(components)) {
      name += part->bytes;
      components = components.subspan(part->components);
    } else {
      name += components.front();
      components = components.subspan(1);
    }
  }
  return name;
}

std::string OtherForm(std::string_view component, size_t form) {
  const bool continued = component.ends_with(kContinued);
  component.remove_suffix(continued ? kContinued.size() : 0);
  std::string text(component);
  for (; form > 0; --form) {
    text += kNothing;
  }
  return text += continued ? kContinued : std::string_view();
}

std::string TemporaryName(uint64_t number) {
  std::string name(kTemporary);
  for (size_t i = kTemporaryDigits; i > 0; --i) {
    name += kDigits[number >> (4 * (i - 1)) & 15];
  }
  return name;
}

bool IsTemporaryName(std::string_view component) {
  return component.size() == kTemporary.size() + kTemporaryDigits &&
         component.starts_with(kTemporary) &&
         component.find_first_not_of(kDigits, kTemporary.size()) == std::string_view::npos;
}

}  // namespace spillway::blockfile
