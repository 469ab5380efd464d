// Reads a tiles folder with the library of Go's checksum database (golang.org/x/mod/sumdb), which shares no code with jixiao.
//
//	verify FOLDER VKEY OLD-CHECKPOINT RECEIPTS
//
// Every entry is hashed and compared with tiles that the library authenticates against the signed root; the old checkpoint must be
// a prefix; each receipt must prove its event. Prints one JSON object, or one line on standard error and exit code 1.
package main

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const width = 256

func fail(format string, arguments ...any) {
	fmt.Fprintf(os.Stderr, format+"\n", arguments...)
	os.Exit(1)
}

func read(path string) []byte {
	data, err := os.ReadFile(path)
	if err != nil {
		fail("read: %v", err)
	}
	return data
}

func hash(text string) (out tlog.Hash) {
	data, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(data) != len(out) {
		fail("not a hash: %q", text)
	}
	copy(out[:], data)
	return out
}

// open gives the tree that a checkpoint claims, once the verifier's signature on it is right.
func open(signed []byte, verifier note.Verifier) tlog.Tree {
	opened, err := note.Open(signed, note.VerifierList(verifier))
	if err != nil {
		fail("checkpoint: %v", err)
	}
	lines := strings.Split(opened.Text, "\n")
	if lines[0] != verifier.Name() {
		fail("checkpoint: another origin %q", lines[0])
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		fail("checkpoint: %v", err)
	}
	return tlog.Tree{N: size, Hash: hash(lines[2])}
}

// folder serves tiles as the library asks for them; its own paths carry the height, the folder's do not.
type folder string

func (folder) Height() int                     { return 8 }
func (folder) SaveTiles([]tlog.Tile, [][]byte) {}

func (f folder) path(tile tlog.Tile) string {
	return filepath.Join(string(f), "tile", strings.TrimPrefix(tile.Path(), "tile/8/"))
}

func (f folder) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	out := make([][]byte, 0, len(tiles))
	for _, tile := range tiles {
		data, err := os.ReadFile(f.path(tile))
		if os.IsNotExist(err) {
			full := tile
			full.W = width
			if data, err = os.ReadFile(f.path(full)); err == nil && len(data) >= tile.W*tlog.HashSize {
				data = data[:tile.W*tlog.HashSize]
			}
		}
		if err != nil {
			return nil, err
		}
		out = append(out, data)
	}
	return out, nil
}

// bundle gives the entries of a bundle of so many.
func (f folder) bundle(number int64, count int) [][]byte {
	path := f.path(tlog.Tile{H: 8, L: 0, N: number, W: count})
	data := read(strings.Replace(path, "/tile/0/", "/tile/entries/", 1))
	var out [][]byte
	for len(data) >= 2 {
		length := int(binary.BigEndian.Uint16(data))
		if len(data) < 2+length {
			fail("bundle %d is cut short", number)
		}
		out = append(out, data[2:2+length])
		data = data[2+length:]
	}
	if len(data) != 0 || len(out) != count {
		fail("bundle %d has %d entries", number, len(out))
	}
	return out
}

func checkEntries(f folder, tree tlog.Tree) {
	reader := tlog.TileHashReader(tree, f)
	for number := int64(0); number*width < tree.N; number++ {
		count := int(min(width, tree.N-number*width))
		indexes := make([]int64, count)
		for place := range indexes {
			indexes[place] = tlog.StoredHashIndex(0, number*width+int64(place))
		}
		hashes, err := reader.ReadHashes(indexes)
		if err != nil {
			fail("tiles: %v", err)
		}
		for place, entry := range f.bundle(number, count) {
			if tlog.RecordHash(entry) != hashes[place] {
				fail("entry %d is not what was signed", number*width+int64(place))
			}
		}
	}
}

func min(left, right int64) int64 {
	if left < right {
		return left
	}
	return right
}

func checkReceipts(pattern string, verifier note.Verifier) int {
	paths, _ := filepath.Glob(pattern)
	for _, path := range paths {
		head, signed, found := strings.Cut(string(read(path)), "\n\n")
		lines := strings.Split(head, "\n")
		if !found || lines[0] != "c2sp.org/tlog-proof@v1" {
			fail("%s is no receipt", path)
		}
		index, err := strconv.ParseInt(strings.TrimPrefix(lines[1], "index "), 10, 64)
		if err != nil {
			fail("%s: %v", path, err)
		}
		var proof tlog.RecordProof
		for _, line := range lines[2:] {
			proof = append(proof, hash(line))
		}
		tree := open([]byte(signed), verifier)
		event := read(strings.TrimSuffix(path, ".tlog-proof") + ".json")
		if err := tlog.CheckRecord(proof, tree.N, tree.Hash, index, tlog.RecordHash(event)); err != nil {
			fail("%s: %v", path, err)
		}
		event[0] ^= 1
		if tlog.CheckRecord(proof, tree.N, tree.Hash, index, tlog.RecordHash(event)) == nil {
			fail("%s proves another event", path)
		}
	}
	return len(paths)
}

func main() {
	f := folder(os.Args[1])
	verifier, err := note.NewVerifier(strings.TrimSpace(string(read(os.Args[2]))))
	if err != nil {
		fail("key: %v", err)
	}
	tree := open(read(filepath.Join(os.Args[1], "checkpoint")), verifier)
	old := open(read(os.Args[3]), verifier)
	proof, err := tlog.ProveTree(tree.N, old.N, tlog.TileHashReader(tree, f))
	if err != nil {
		fail("consistency: %v", err)
	}
	if err := tlog.CheckTree(proof, tree.N, tree.Hash, old.N, old.Hash); err != nil {
		fail("consistency: %v", err)
	}
	checkEntries(f, tree)
	receipts := checkReceipts(filepath.Join(os.Args[4], "*.tlog-proof"), verifier)
	json.NewEncoder(os.Stdout).Encode(map[string]any{
		"size": tree.N, "old": old.N, "root": fmt.Sprintf("%x", tree.Hash[:]), "receipts": receipts,
	})
}
