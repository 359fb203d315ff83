# Debian packages, `cpack` in a build of the preset package: libbp1 (the library), libbp-dev (for those who build on it), libbp-tools (the program bp).
# Times in them are SOURCE_DATE_EPOCH's, so that two builds of the same sources give the same bytes.
set(library_package libbp${PROJECT_VERSION_MAJOR})
set(packages library ${library_package} development libbp-dev tools libbp-tools)

set(CPACK_PACKAGE_NAME libbp)
set(CPACK_PACKAGE_CONTACT "The libbp authors <libbp@packages.debian.org>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "${PROJECT_DESCRIPTION}")
set(CPACK_VERBATIM_VARIABLES ON)
set(CPACK_STRIP_FILES ON)
set(CPACK_GENERATOR DEB)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_COMPONENTS_ALL library development tools)
set(CPACK_COMPONENTS_GROUPING IGNORE)

set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS_PRIVATE_DIRS ${PROJECT_BINARY_DIR}/lib)
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS ON)
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS_POLICY ">=")
set(CPACK_DEBIAN_ENABLE_COMPONENT_DEPENDS ON)
set(CPACK_COMPONENT_DEVELOPMENT_DEPENDS library)
set(CPACK_COMPONENT_TOOLS_DEPENDS library)

set(CPACK_DEBIAN_LIBRARY_PACKAGE_NAME ${library_package})
set(CPACK_DEBIAN_LIBRARY_PACKAGE_SECTION libs)
set(CPACK_COMPONENT_LIBRARY_DESCRIPTION "Neural networks trained by backpropagation - shared library
 Feed-forward networks on one processor's full speed: on-line and in batches,
 in float and double, behind a stable C ABI. Models are safetensors, ONNX and
 C source, data CSV, NPY, IDX and FANN's.")
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_NAME libbp-dev)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS "${BP_DEVELOPMENT_PACKAGES}") # what pkg-config asks for, and static programs
set(CPACK_COMPONENT_DEVELOPMENT_DESCRIPTION "Neural networks trained by backpropagation - development files
 Headers, static library, and what pkg-config, CMake and foreign function
 interfaces read.")
set(CPACK_DEBIAN_TOOLS_PACKAGE_NAME libbp-tools)
set(CPACK_DEBIAN_TOOLS_PACKAGE_SECTION math)
set(CPACK_DEBIAN_TOOLS_PACKAGE_RECOMMENDS gnuplot-nox)
set(CPACK_COMPONENT_TOOLS_DESCRIPTION "Neural networks trained by backpropagation - command line
 The program bp trains a network on a table, predicts, evaluates, inspects and
 converts models.")

# The loader's cache is to know the library.
file(WRITE ${PROJECT_BINARY_DIR}/triggers "activate-noawait ldconfig\n")
set(CPACK_DEBIAN_LIBRARY_PACKAGE_CONTROL_EXTRA ${PROJECT_BINARY_DIR}/triggers)

# What each package says of itself in its folder of documentation.
string(TIMESTAMP changed "%a, %d %b %Y %H:%M:%S +0000" UTC) # SOURCE_DATE_EPOCH, if it is set
file(READ ${PROJECT_SOURCE_DIR}/LICENSE license)
file(WRITE ${PROJECT_BINARY_DIR}/copyright "libbp, ${PROJECT_VERSION}\n\n${license}")
file(WRITE ${PROJECT_BINARY_DIR}/changelog.Debian
    "libbp (${PROJECT_VERSION}-1) unstable; urgency=medium\n\n  * See CHANGELOG.md.\n\n -- ${CPACK_PACKAGE_CONTACT}  ${changed}\n")
execute_process(COMMAND gzip -9nf ${PROJECT_BINARY_DIR}/changelog.Debian)
while(packages)
    list(POP_FRONT packages component package)
    install(FILES ${PROJECT_BINARY_DIR}/copyright ${PROJECT_BINARY_DIR}/changelog.Debian.gz
            DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/${package} COMPONENT ${component})
endwhile()

set(CPACK_PRE_BUILD_SCRIPTS ${CMAKE_CURRENT_LIST_DIR}/CompressPages.cmake)

set(CPACK_SOURCE_GENERATOR TGZ)
set(CPACK_SOURCE_PACKAGE_FILE_NAME libbp-${PROJECT_VERSION})
set(CPACK_SOURCE_IGNORE_FILES "/build/;/\\.git/")

include(CPack)
