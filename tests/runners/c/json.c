#include "json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *blank(const char *at) { return at + strspn(at, " \t\r\n"); }

static char *slice(const char *from, const char *to) {
  char *text = malloc((size_t)(to - from) + 1);
  memcpy(text, from, (size_t)(to - from));
  text[to - from] = 0;
  return text;
}

/* Four hexadecimal digits of a \u escape; scenarios hold none of two surrogates. */
static char *utf8(char *out, const char *digits) {
  unsigned code = 0;
  if (sscanf(digits, "%4x", &code) != 1) return NULL;
  if (code < 0x80) {
    *out++ = (char)code;
  } else if (code < 0x800) {
    *out++ = (char)(0xc0 | code >> 6), *out++ = (char)(0x80 | (code & 0x3f));
  } else {
    *out++ = (char)(0xe0 | code >> 12), *out++ = (char)(0x80 | (code >> 6 & 0x3f)), *out++ = (char)(0x80 | (code & 0x3f));
  }
  return out;
}

/* Decodes a string that begins at the quote; NULL if it does not end. */
static const char *string(const char *at, char **text) {
  static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
  const char *name;
  char *out = *text = malloc(strlen(at) + 1);
  for (at++; *at && *at != '"'; at++) {
    if (*at != '\\') {
      *out++ = *at;
    } else if (*++at == 'u') {
      if (!(out = utf8(out, at + 1))) break;
      at += 4;
    } else if (*at && (name = strchr(names, *at))) {
      *out++ = values[name - names];
    } else {
      break;
    }
  }
  if (out) *out = 0;
  if (out && *at == '"') return at + 1;
  free(*text), *text = NULL;
  return NULL;
}

/* The end of an object or array, braces inside strings left aside. */
static const char *nested(const char *at) {
  int depth = 0;
  do {
    if (*at == '"') {
      for (at++; *at && *at != '"'; at++) {
        if (*at == '\\' && at[1]) at++;
      }
    }
    if (!*at) return NULL;
    depth += *at == '{' || *at == '[';
    depth -= *at == '}' || *at == ']';
    at++;
  } while (depth > 0);
  return at;
}

static const char *value(const char *at, json_value *value) {
  const char *end = at;
  value->text = NULL;
  switch (*at) {
  case '"':
    value->kind = 's';
    return string(at, &value->text);
  case '{':
  case '[':
    value->kind = 'r';
    end = nested(at);
    break;
  default:
    value->kind = *at == 't' || *at == 'f' ? 'b' : *at == 'n' ? '0' : 'n';
    end += strspn(at, "+-.0123456789abcdefghijklmnopqrstuvwxyzE");
  }
  if (!end || end == at) return NULL;
  value->text = slice(at, end);
  return end;
}

static const char *field(const char *at, json_field *field) {
  *field = (json_field){0};
  at = blank(at);
  if (*at != '"' || !(at = string(at, &field->key))) return NULL;
  at = blank(at);
  return *at == ':' ? value(blank(at + 1), &field->value) : NULL;
}

bool json_read(const char *text, json_object *object) {
  const char *at = blank(text);
  object->len = 0;
  if (*at != '{') return false;
  if (*blank(at + 1) == '}') return true;
  do {
    if (object->len == sizeof object->field / sizeof *object->field) return false;
    at = field(at + 1, &object->field[object->len++]);
    if (!at) return false;
    at = blank(at);
  } while (*at == ',');
  return *at == '}' && !*blank(at + 1);
}

void json_free(json_object *object) {
  for (size_t n = 0; n < object->len; n++) {
    free(object->field[n].key);
    free(object->field[n].value.text);
  }
  object->len = 0;
}

const char *json_text(const json_object *object, const char *key) {
  for (size_t n = 0; n < object->len; n++) {
    if (strcmp(object->field[n].key, key) == 0) return object->field[n].value.text;
  }
  return NULL;
}

long long json_number(const json_object *object, const char *key, long long otherwise) {
  const char *text = json_text(object, key);
  return text ? strtoll(text, NULL, 10) : otherwise;
}

const char *json_item(const char *at, json_value *item) {
  at = blank(at);
  if (*at != '[' && *at != ',') return NULL;
  at = blank(at + 1);
  return *at == ']' || !(at = value(at, item)) ? NULL : blank(at);
}
