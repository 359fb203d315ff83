/** BP_API marks what the shared library exports. Define it empty to preprocess the headers into plain declarations for an FFI. */
#ifndef BP_EXPORT_H
#define BP_EXPORT_H

#ifndef BP_API
#if defined(__GNUC__)
#define BP_API __attribute__((visibility("default")))
#else
#define BP_API
#endif
#endif

#endif
