#include "kind.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "number.h"

/* what a file is, and which program takes it where a list is expected */
typedef struct {
  const char *name;
  bool simulator;   /* nanobrag_torch reads it with -hkl (F2.8) */
} kind;

static const kind MTZ = { "is an MTZ file", true };
static const kind CIF = { "is a CIF file", true };
static const kind PDB = { "is a PDB file", true };
static const kind XDS = { "is a file of XDS", false };
static const kind XPARM = { "is XPARM.XDS, the geometry of XDS", false };
static const kind DENZO = { "is a DENZO file (.x)", false };
static const kind CACHE = { "is a cache of structure factors", false };
static const kind DIALS = { "is an experiment list of DIALS", false };
static const kind JSON = { "is a JSON file", false };
static const kind UTF16 = { "is text in UTF-16", false };

/* how a file begins, longest beginnings first */
static const struct {
  const char *start;
  size_t size;
  kind is;
} STARTS[] = {
  { "\xff\xfe\0\0", 4, { "is text in UTF-32", false } },
  { "\0\0\xfe\xff", 4, { "is text in UTF-32", false } },
  { "\xff\xfe", 2, { "is text in UTF-16", false } },
  { "\xfe\xff", 2, { "is text in UTF-16", false } },
  { "\x1f\x8b", 2, { "is compressed with gzip", true } },
  { "BZh", 3, { "is compressed with bzip2", false } },
  { "\xfd" "7zXZ\0", 6, { "is compressed with xz", false } },
  { "PK\3\4", 4, { "is a ZIP archive", false } },
  { "\x93NUMPY", 6, { "is an array of NumPy (.npy)", false } },
  { "\x89HDF\r\n\x1a\n", 8, { "is an HDF5 file", false } },
  { "###CBF", 6, { "is a CBF image", false } },
  { "###_CBF", 7, { "is a CBF image", false } },
  { "II*\0", 4, { "is a TIFF or MarCCD image", false } },
  { "MM\0*", 4, { "is a TIFF or MarCCD image", false } },
  { "{\nHEADER_BYTES", 14, { "is an SMV image", false } } };

/* names of records that PDB files begin with, padded to six characters */
static const char PDB_RECORDS[] =
  "HEADER OBSLTE TITLE  SPLIT  CAVEAT COMPND SOURCE KEYWDS EXPDTA NUMMDL "
  "MDLTYP AUTHOR REVDAT SPRSDE JRNL   REMARK DBREF  DBREF1 DBREF2 SEQADV "
  "SEQRES MODRES HET    HETNAM HETSYN FORMUL HELIX  SHEET  SSBOND LINK   "
  "CISPEP SITE   CRYST1 ORIGX1 SCALE1 MTRIX1 MODEL  ATOM   ANISOU HETATM "
  "USER   ";

static bool begins (const char *s, size_t size, const char *with, size_t n) {
  return size >= n && memcmp(s, with, n) == 0;
}

static bool is_pdb (const char *line, size_t size) {
  char name[8] = "      ";
  size_t n = 0;
  while (n < 6 && n < size && line[n] > ' ') {
    name[n] = line[n];
    ++n;
  }
  name[6] = ' ';
  const char *found = n ? strstr(PDB_RECORDS, name) : NULL;
  return found && (found - PDB_RECORDS) % 7 == 0;
}

/* a table of names, or a list of lists, tables or texts */
static bool is_json (const char *s) {
  if (*s != '{' && *s != '[') return false;
  const char *next = s + 1 + strspn(s + 1, " \t\r\n");
  return *next == '"' || (*s == '[' && (*next == '[' || *next == '{'));
}

/* every other one of the first four bytes is 0, the rest is not */
static bool is_utf16 (const nb_file *file) {
  const char *s = file->data;
  if (file->size < 4) return false;
  return (!s[0] && s[1] && !s[2] && s[3]) || (s[0] && !s[1] && s[2] && !s[3]);
}

static const kind *binary (const nb_file *file) {
  for (size_t i = 0; i < sizeof STARTS / sizeof *STARTS; ++i)
    if (begins(file->data, file->size, STARTS[i].start, STARTS[i].size))
      return &STARTS[i].is;
  if (begins(file->data, file->size, "MTZ ", 4)) return &MTZ;
  return is_utf16(file) ? &UTF16 : NULL;
}

/* "NAME=", as in the first line of files that XDS writes */
static bool is_setting (const char *s) {
  size_t n = strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_");
  return n > 0 && s[n] == '=';
}

/* by the first line that is neither empty nor a comment */
static const kind *text (const nb_file *file) {
  nb_reader r = nb_read_text(file, "");
  if (!nb_next_line(&r)) return NULL;
  const char *s = file->data + r.at;
  size_t size = r.end - r.at;
  if (size >= 5 && strncasecmp(s, "data_", 5) == 0) return &CIF;
  if (begins(s, size, "XPARM.XDS", 9) || begins(s, size, "GXPARM.XDS", 10))
    return &XPARM;
  if (is_json(s))
    return strstr(s, "\"ExperimentList\"") ? &DIALS : &JSON;
  if (*s == '!' && is_setting(s + 1)) return &XDS;
  return is_pdb(s, size) ? &PDB : NULL;
}

/* how many numbers the next line holds; -1 if it is no line of numbers, or
   not the line with this number */
static int count_numbers (nb_reader *r, long line) {
  const char *token;
  size_t n;
  double x;
  int count = 0;
  if (!nb_next_line(r) || r->line != line) return -1;
  for (; nb_next_token(r, &token, &n); ++count)
    if (!nb_read_real(token, n, &x)) return -1;
  return count;
}

/* six integers, a line end and a form feed (F3.1) */
static bool is_cache (const char *s, char line_end) {
  for (int i = 0; i < 6; ++i) {
    if (i > 0 && *s++ != ' ') return false;
    if (*s == '-') ++s;
    size_t n = strspn(s, "0123456789");
    if (n == 0) return false;
    s += n;
  }
  return s[0] == line_end && s[1] == '\f';
}

/* F4.5: orientations that could be taken for nine numbers */
static const kind *orientation (const nb_file *file) {
  nb_reader r = nb_read_text(file, "");
  r.comments = false;
  if (is_cache(file->data + r.start, r.line_end)) return &CACHE;
  int first = count_numbers(&r, 1);
  const char *s = file->data + r.start;
  s += strspn(s, " \t");
  s += strspn(s, "0123456789");   /* XPARM.XDS begins with a frame number */
  if (first == 6 && (*s == ' ' || *s == '\t') && count_numbers(&r, 2) == 4)
    return &XPARM;
  if (first >= 0) return NULL;
  for (long line = 2; line <= 4; ++line)
    if (count_numbers(&r, line) != 6) return NULL;
  return &DENZO;
}

bool nb_check_kind (const nb_file *file, const char *option,
                    const char *expected, nb_error *error) {
  const kind *k = binary(file);
  if (!k && strcmp(option, "-mat") == 0) k = orientation(file);
  if (!k) k = text(file);
  if (!k) return true;
  bool named = k->simulator && strcmp(option, "-hkl") == 0;
  return nb_fail(error, "%s: file '%s' %s, expected %s%s", option,
                 file->path, k->name, expected,
                 named ? "; nanobrag_torch reads it" : "");
}
