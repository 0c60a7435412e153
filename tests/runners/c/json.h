/* Reads the little JSON that scenarios and the library's reports need: one object or array at a time. */
#ifndef AIRWASM_TESTS_JSON_H
#define AIRWASM_TESTS_JSON_H

#include <stdbool.h>
#include <stddef.h>

typedef struct {
  char kind;  /* 's' string (text is decoded), 'n' number, 'b' boolean, '0' null, 'r' object or array (text is raw) */
  char *text; /* yours */
} json_value;

typedef struct {
  char *key;
  json_value value;
} json_field;

typedef struct {
  json_field field[32];
  size_t len;
} json_object;

/* Reads an object; false if the text is none, or has more than 32 fields. */
bool json_read(const char *text, json_object *object);
void json_free(json_object *object);

/* The value as text, or NULL. */
const char *json_text(const json_object *object, const char *key);

/* The value as a number, or otherwise if there is none. */
long long json_number(const json_object *object, const char *key, long long otherwise);

/* Steps through an array: the next item of it, and where to go on; NULL at its end. Begin with its text. */
const char *json_item(const char *at, json_value *item);

#endif
