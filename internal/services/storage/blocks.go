package storage

import (
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"sekisho/internal/api"
	"sekisho/internal/services/storage/blob"
)

func (s *Storage) blockOperations() []api.Operation {
	list := blobRow(http.MethodPut, "BlockBlob_CommitBlockList", "put-block-list.md", writeBlob, "", "w", []string{"comp=blocklist"}, "", s.putBlockList)
	return []api.Operation{
		asking(list, tagged(list.Checks), writeTags),
		blobRow(http.MethodPut, "BlockBlob_StageBlock", "put-block.md", writeBlob, "", "w", []string{"comp=block"}, "", s.putBlock),
		blobRow(http.MethodGet, "BlockBlob_GetBlockList", "get-block-list.md", readBlob, "", "r", []string{"comp=blocklist"}, "", s.getBlockList),
	}
}

// blockID reads a block's id: at most 64 bytes, in base64.
func blockID(text string) (string, error) {
	if text == "" {
		return "", api.BadRequest("MissingRequiredQueryParameter", "blockid", "A query parameter that's mandatory for this request is not specified: blockid.")
	}
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(raw) == 0 || len(raw) > blob.MaxBlockID {
		return "", invalidQuery("blockid", text, "Not a valid base64 string of at most 64 bytes.")
	}
	return text, nil
}

func (s *Storage) putBlock(w http.ResponseWriter, call *api.Call) error {
	r := call.Request
	id, err := blockID(r.URL.Query().Get("blockid"))
	if err != nil {
		return err
	}
	src, err := blockContent(call, maxBlock)
	if err != nil {
		return err
	}
	cond, err := conditions(r)
	if err != nil {
		return err
	}
	_, err = stage(w, call, func(checks blob.Checks) (blob.Written, error) {
		return s.blobs.StageBlock(r.Context(), at(call), id, src, checks, blob.Conditions{LeaseID: cond.LeaseID})
	})
	if err != nil {
		return err
	}
	w.WriteHeader(http.StatusCreated)
	return nil
}

// stage writes bytes that are not in a blob yet, and says in headers what was written.
func stage(w http.ResponseWriter, call *api.Call, write func(blob.Checks) (blob.Written, error)) (blob.Written, error) {
	checks, err := digests(call.Request.Header)
	if err != nil {
		return blob.Written{}, err
	}
	checks.NoMD5 = !tellsMD5(call)
	written, err := write(checks)
	if err != nil {
		return written, cut(err)
	}
	staged(w, call, written)
	return written, nil
}

func staged(w http.ResponseWriter, call *api.Call, written blob.Written) {
	setHeaders(w, call)
	setDigests(w.Header(), call, written)
	w.Header().Set("x-ms-request-server-encrypted", "true")
}

// maxBlockListBody bounds a block list: 50,000 blocks.
const maxBlockListBody = 8 << 20

type chosenXML struct {
	XMLName xml.Name
	ID      string `xml:",chardata"`
}

func (s *Storage) putBlockList(w http.ResponseWriter, call *api.Call) error {
	r := call.Request
	cond, err := conditions(r)
	if err != nil {
		return err
	}
	in, err := described(r.Header, false)
	if err != nil {
		return err
	}
	list, err := readBlockList(r)
	if err != nil {
		return err
	}
	b, err := s.blobs.CommitBlocks(r.Context(), at(call), in, list, cond)
	if err != nil {
		return err
	}
	created(w, call, b)
	w.WriteHeader(http.StatusCreated)
	return nil
}

// readBlockList reads the blocks that a blob is to be made of, in their order.
func readBlockList(r *http.Request) ([]blob.Chosen, error) {
	var body struct {
		XMLName xml.Name    `xml:"BlockList"`
		Blocks  []chosenXML `xml:",any"`
	}
	if err := readXML(r, maxBlockListBody, &body); err != nil {
		return nil, err
	}
	if len(body.Blocks) > blob.MaxBlocks {
		return nil, api.BadRequest("BlockListTooLong", "BlockList", "The block list may not contain more than 50,000 blocks.")
	}
	var list []blob.Chosen
	for i, b := range body.Blocks {
		switch b.XMLName.Local {
		case blob.Committed, blob.Uncommitted, blob.Latest:
		default:
			return nil, api.BadRequest("InvalidXmlDocument", fmt.Sprintf("BlockList[%d]", i), "XML specified is not syntactically valid: %q is none of Committed, Uncommitted, Latest.", b.XMLName.Local)
		}
		list = append(list, blob.Chosen{ID: strings.TrimSpace(b.ID), From: b.XMLName.Local})
	}
	return list, nil
}

type blockListXML struct {
	XMLName     xml.Name   `xml:"BlockList"`
	Committed   *blocksXML `xml:"CommittedBlocks"`
	Uncommitted *blocksXML `xml:"UncommittedBlocks"`
}

type blocksXML struct {
	Blocks []blockXML `xml:"Block"`
}

type blockXML struct {
	Name string `xml:"Name"`
	Size int64  `xml:"Size"`
}

func (s *Storage) getBlockList(w http.ResponseWriter, call *api.Call) error {
	r := call.Request
	which := strings.ToLower(r.URL.Query().Get("blocklisttype"))
	if which == "" {
		which = "committed"
	}
	if which != "committed" && which != "uncommitted" && which != "all" {
		return invalidQuery("blocklisttype", which, "It is committed, uncommitted or all.")
	}
	cond, err := conditions(r)
	if err != nil {
		return err
	}
	b, committed, uncommitted, err := s.blobs.BlockList(r.Context(), at(call), cond)
	if err != nil {
		return err
	}
	list := blockListXML{}
	of := func(all []blob.BlockInfo) *blocksXML {
		x := &blocksXML{}
		for _, one := range all {
			x.Blocks = append(x.Blocks, blockXML{one.ID, one.Size})
		}
		return x
	}
	if which != "uncommitted" {
		list.Committed = of(committed)
	}
	if which != "committed" {
		list.Uncommitted = of(uncommitted)
	}
	setHeaders(w, call)
	size := int64(0) // of what is committed
	if b != nil {
		setETag(w.Header(), b.ETag, b.Modified)
		size = b.Size
	}
	w.Header().Set("x-ms-blob-content-length", strconv.FormatInt(size, 10))
	return writeXML(w, http.StatusOK, list)
}
