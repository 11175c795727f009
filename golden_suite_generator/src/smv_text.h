/*
** The entries of an SMV header, KEY=VALUE; keys are whole words and count
** wherever they stand (F12.2, F12.7).
*/
#ifndef NB_SMV_TEXT_H
#define NB_SMV_TEXT_H

#include <stdbool.h>
#include <stddef.h>

typedef struct {
  const char *text;
  size_t length;
} nb_words;

typedef struct {
  nb_words key;
  const char *value;   /* behind the equal sign, not ended */
} nb_smv_entry;

/* The next entry of the NUL-terminated text at *at; false if there is none. */
bool nb_smv_next (const char **at, nb_smv_entry *entry);

/* The last entry of a key; XDS_ORGX and XDS_ORGY stand for ORGX and ORGY. */
bool nb_smv_find (const char *header, const char *key, nb_smv_entry *entry);

/* Whether an entry has that key, or one that stands for it. */
bool nb_smv_is (const nb_smv_entry *entry, const char *key);

/* a key of a header with its last value, and how often it occurs */
typedef struct {
  nb_smv_entry last;
  long count;
} nb_smv_key;

/* the different keys of a header in the order of their first place */
typedef struct {
  nb_smv_key *key;      /* owned, as is all below */
  size_t count, room;
  size_t *slot;         /* index + 1 of a key by its hash, 0 = free */
  size_t slots;         /* a power of two, more than twice the count */
} nb_smv_keys;

/* All keys of a header, which must outlive them.  Value: false without memory;
   nb_free_smv_keys in either case. */
bool nb_list_smv_keys (const char *header, nb_smv_keys *keys);

/* The key of that name, NULL if it is not there. */
const nb_smv_key *nb_smv_key_of (const nb_smv_keys *keys, const char *name);

void nb_free_smv_keys (nb_smv_keys *keys);

/* Whether the words are a text. */
bool nb_words_are (nb_words words, const char *text);

/*
** The value of an entry up to the semicolon, the end of the line, the next key
** or the closing brace, without blanks around; of its first `most` bytes.
*/
nb_words nb_smv_own (const nb_smv_entry *entry, size_t most);

/* The finite number that a value begins with; *rest is what follows it. */
bool nb_smv_number (const nb_smv_entry *entry, double *x, nb_words *rest);

#endif
