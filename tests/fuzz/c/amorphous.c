/* The amorphous table (F6). */
#include "input_tables.h"
#include "target.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size) {
  const char *path = fuzz_file(data, size);
  nb_error error = { "" };
  bool good = nb_check_stol(path, "-stol", &error);
  fuzz_check(good, &error, path);
  return 0;
}
