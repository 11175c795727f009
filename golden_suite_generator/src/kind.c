#include "kind.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

/* what a file is, and which program takes it where a list is expected */
typedef struct {
  const char *name;
  bool simulator;   /* nanobrag_torch reads it with -hkl (F2.8) */
} kind;

static const kind GZIP = { "is compressed with gzip", true };
static const kind MTZ = { "is an MTZ file", true };
static const kind CIF = { "is a CIF file", true };
static const kind PDB = { "is a PDB file", true };
static const kind HDF5 = { "is an HDF5 file", false };
static const kind CBF = { "is a CBF image", false };
static const kind SMV = { "is an SMV image", false };
static const kind XPARM = { "is an XPARM.XDS file of XDS", false };
static const kind JSON = { "is a JSON file, as DIALS writes them", false };

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

static const kind *binary (const nb_file *file) {
  const char *s = file->data;
  if (begins(s, file->size, "\x1f\x8b", 2)) return &GZIP;
  if (begins(s, file->size, "MTZ ", 4)) return &MTZ;
  if (begins(s, file->size, "\x89HDF\r\n\x1a\n", 8)) return &HDF5;
  if (begins(s, file->size, "###CBF", 6)) return &CBF;
  if (begins(s, file->size, "{\nHEADER_BYT", 12)) return &SMV;
  return NULL;
}

/* by the first line that is neither empty nor a comment */
static const kind *text (const nb_file *file) {
  nb_reader r = nb_read_text(file, "");
  if (!nb_next_line(&r)) return NULL;
  const char *s = file->data + r.at;
  size_t size = r.end - r.at;
  if (size >= 5 && strncasecmp(s, "data_", 5) == 0) return &CIF;
  if (begins(s, size, "XPARM.XDS", 9)) return &XPARM;
  if (is_json(s)) return &JSON;
  return is_pdb(s, size) ? &PDB : NULL;
}

bool nb_check_kind (const nb_file *file, const char *option,
                    const char *expected, nb_error *error) {
  const kind *k = binary(file);
  if (!k) k = text(file);
  if (!k) return true;
  bool named = k->simulator && strcmp(option, "-hkl") == 0;
  return nb_fail(error, "%s: file '%s' %s, expected %s%s", option,
                 file->path, k->name, expected,
                 named ? "; nanobrag_torch reads it" : "");
}
